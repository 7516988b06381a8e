#pragma once

// Before a thread_local that hot paths read. initial-exec: one load instead of a call, also in a shared library. But
// such a library's thread-locals must fit into the little room that programs keep for what is loaded later (dlopen, a
// module of Python's), and those of CUDA's runtime do not: with it, TERN_TLS_MODEL is another.
#ifndef TERN_TLS_MODEL
#define TERN_TLS_MODEL "initial-exec"
#endif
#define TERN_THREAD_STATE __attribute__((tls_model(TERN_TLS_MODEL)))
