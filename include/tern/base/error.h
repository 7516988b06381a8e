#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "tern/base/export.h"

namespace tern {

/// Base of every exception that Tern throws. Messages read `[where] expected WHAT, got WHAT`.
class TERN_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Shapes or dimensions that do not fit together.
class TERN_API ShapeError : public Error {
 public:
  using Error::Error;
};

/// An element type that the operation does not take.
class TERN_API DTypeError : public Error {
 public:
  using Error::Error;
};

/// An index outside its dimension.
class TERN_API IndexError : public Error {
 public:
  using Error::Error;
};

/// An option or argument outside its allowed values.
class TERN_API ValueError : public Error {
 public:
  using Error::Error;
};

/// A call in the wrong order: transform before fit, backward through a released graph.
class TERN_API StateError : public Error {
 public:
  using Error::Error;
};

/// A device that is not there or failed, or operands that lie on different ones.
class TERN_API DeviceError : public Error {
 public:
  using Error::Error;
};

/// Memory that could not be had.
class TERN_API MemoryError : public Error {
 public:
  using Error::Error;
};

/// A NaN or infinity where training or a metric cannot go on.
class TERN_API NumericError : public Error {
 public:
  using Error::Error;
};

/// A model, bundle or weight file that is damaged or of an unknown version.
class TERN_API FormatError : public Error {
 public:
  using Error::Error;
};

/// A file that cannot be opened, read, written or renamed.
class TERN_API FileError : public Error {
 public:
  /// `path` is the file, `code` the value of errno (0 when there is none).
  FileError(const std::string& message, std::string path, int code = 0)
      : Error(message), path_(std::move(path)), code_(code) {}
  const std::string& path() const { return path_; }
  int code() const { return code_; }

 private:
  std::string path_;
  int code_;
};

/// Where in the input a DataError stands; what is not known stays at its default.
struct DataLocation {
  std::string file{};
  std::int64_t row = -1;   ///< 0-based record of the input, the header not counted
  std::int64_t line = -1;  ///< 1-based line of the file on which the record starts
  std::string column{};
};

/// Input data that breaks a rule; names file, row and column where there is one.
class TERN_API DataError : public Error {
 public:
  /// The message becomes `[where] FILE: row R (line L), column "C": message` with the parts that are known.
  DataError(const std::string& where, const std::string& message, DataLocation location = {});
  /// The message without place and location, for a program with a form of its own.
  const std::string& message() const { return message_; }
  const std::string& where() const { return where_; }
  const DataLocation& location() const { return location_; }
  const std::string& file() const { return location_.file; }
  std::int64_t row() const { return location_.row; }
  std::int64_t line() const { return location_.line; }
  const std::string& column() const { return location_.column; }

 private:
  std::string where_, message_;
  DataLocation location_;
};

}  // namespace tern
