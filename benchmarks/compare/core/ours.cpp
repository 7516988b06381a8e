#include "measure.h"
#include "tern/tern.h"

// Ours, through the public API, as a user would write it.
namespace {

using namespace tern;
using compare::Work;

nn::Sequential network(const std::vector<long>& sizes) {
  return nn::Sequential{nn::Linear(sizes[0], sizes[1]), nn::Relu(), nn::Linear(sizes[1], sizes[2]), nn::Relu(),
                        nn::Linear(sizes[2], sizes[3])};
}

void add(const Work& work, int threads) {
  set_num_threads(threads);
  const Tensor a = rand({8, 8}).requires_grad_(), b = rand({8, 8}).requires_grad_();
  compare::measure(work, 1, [&] { const Tensor sum = a + b; });
}

// A unit is one multiplication, forward and backward.
void chain(const Work& work, int threads) {
  set_num_threads(threads);
  Tensor x = ones({8, 8}).requires_grad_(), w = ones({8, 8}).requires_grad_();
  compare::measure(work, 100, [&] {
    Tensor y = x;
    for (int i = 0; i < 100; ++i) y = y * w;
    y.sum().backward();
    x.clear_grad();
    w.clear_grad();
  });
}

template <class O>
void step(const Work& work, int threads) {
  set_num_threads(threads);
  const std::vector<long> sizes = compare::numbers_of(work.name);
  nn::Sequential net = network(sizes);
  O optimizer(net.parameters(), {.lr = 1e-4});
  const Tensor x = randn({sizes[4], sizes[0]});
  Tensor target = zeros({sizes[4]}, i64);
  for (long i = 0; i < sizes[4]; ++i) target.mutable_span<std::int64_t>()[static_cast<std::size_t>(i)] = i % sizes[3];
  compare::measure(work, 1, [&] {
    optimizer.zero_grad();
    cross_entropy(net(x), target).backward();
    optimizer.step();
  });
}

// "packed-…": with weights that are kept as a row reads them, as ONNX Runtime keeps them.
void row(const Work& work, int threads) {
  set_num_threads(threads);
  nn::Sequential net = network(compare::numbers_of(work.name));
  net.eval();
  if (work.name[0] == 'p') nn::pack_weights(net);
  const NoGrad guard;
  const Tensor x = rand({1, 30});
  compare::measure(work, 1, [&] { const Tensor y = net(x); });
}

void lookup(const Work& work, int threads) {
  set_num_threads(threads);
  const std::vector<long> sizes = compare::numbers_of(work.name);
  nn::Embedding table({.count = sizes[0], .width = sizes[1], .sparse = true});
  optim::AdamW optimizer(table.parameters(), {.lr = 1e-4});
  Tensor ids = zeros({sizes[2]}, i64);
  for (long i = 0; i < sizes[2]; ++i) {
    ids.mutable_span<std::int64_t>()[static_cast<std::size_t>(i)] = i * 7919 % sizes[0];
  }
  compare::measure(work, 1, [&] {
    optimizer.zero_grad();
    square(table(ids)).mean().backward();
    optimizer.step();
  });
}

// A matrix of the work's two sizes.
Tensor matrix(const Work& work, int threads) {
  set_num_threads(threads);
  const std::vector<long> sizes = compare::last_two(work.name);
  return randn({sizes[0], sizes[1]});
}

void bce(const Work& work, int threads) {
  Tensor x = matrix(work, threads).requires_grad_();
  const Tensor t = rand(x.shape());
  compare::measure(work, 1, [&] {
    bce_with_logits(x, t).backward();
    x.clear_grad();
  });
}

template <class F>
void on_matrix(const Work& work, int threads, F f) {
  const Tensor x = matrix(work, threads);
  const NoGrad guard;
  compare::measure(work, 1, [&] { const Tensor y = f(x); });
}
void dropped(const Work& work, int threads) {
  on_matrix(work, threads, [](const Tensor& x) { return dropout(x, 0.3); });
}
void normals(const Work& work, int threads) {
  on_matrix(work, threads, [](const Tensor& x) { return randn(x.shape()); });
}
void transposed(const Work& work, int threads) {
  on_matrix(work, threads, [](const Tensor& x) { return x.t().contiguous(); });
}
void transposed_add(const Work& work, int threads) {
  on_matrix(work, threads, [](const Tensor& x) { return x + x.t(); });
}
void argmaxes(const Work& work, int threads) {
  on_matrix(work, threads, [](const Tensor& x) {
    const Tensor rows = argmax(x, 1);
    return argmax(x, 0);
  });
}
void halves(const Work& work, int threads) {
  on_matrix(work, threads, [](const Tensor& x) { return x.to(f16).to(f32); });
}

}  // namespace

int main(int argc, char** argv) {
  return compare::main_of(argc, argv,
                          {{"add", &add},
                           {"chain", &chain},
                           {"sgd-16-32-32-4-32", &step<optim::Sgd>},
                           {"adamw-16-32-32-4-32", &step<optim::AdamW>},
                           {"sgd-64-64-64-10-64", &step<optim::Sgd>},
                           {"sgd-784-256-256-10-128", &step<optim::Sgd>},
                           {"adamw-784-256-256-10-128", &step<optim::AdamW>},
                           {"sgd-784-1024-1024-10-128", &step<optim::Sgd>},
                           {"adamw-784-1024-1024-10-128", &step<optim::AdamW>},
                           {"row-30-64-32-1", &row},
                           {"packed-30-64-32-1", &row},
                           {"embedding-50000-64-1024", &lookup},
                           {"bce-1024-1024", &bce},
                           {"dropout-1024-1024", &dropped},
                           {"randn-1024-1024", &normals},
                           {"transposed-1024-1024", &transposed},
                           {"transposed-add-1024-1024", &transposed_add},
                           {"argmax-1024-1024", &argmaxes},
                           {"halves-1024-1024", &halves}});
}
