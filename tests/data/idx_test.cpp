#include "tern/data/idx.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "data/csv_input.h"
#include "tern/base/error.h"
#include "tern/base/file.h"

namespace {

using namespace tern;
using namespace std::string_literals;

class Idx : public ::testing::Test {
 protected:
  std::string path_ =
      (std::filesystem::temp_directory_path() / ("tern-idx-" + std::to_string(::getpid()) + ".idx")).string();
  void TearDown() override { std::filesystem::remove(path_); }

  Tensor read(const std::string& content, std::int64_t max_bytes = 1 << 20) {
    write_file(path_, content);
    return data::read_idx(path_, max_bytes);
  }
  void refuses(const std::string& content, const std::string& says) {
    try {
      read(content);
      ADD_FAILURE() << "expected a DataError that says: " << says;
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
      EXPECT_EQ(error.file(), path_);
    }
  }
};

const std::string kTwoByThree = "\0\0\x08\x02\0\0\0\2\0\0\0\3\1\2\3\4\5\xff"s;

TEST_F(Idx, ReadsBytesInTheShapeOfTheHeader) {
  const Tensor x = read(kTwoByThree);
  EXPECT_EQ(x.dtype(), u8);
  EXPECT_EQ(x.shape(), Shape({2, 3}));
  EXPECT_EQ(x.to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 255}));
}

TEST_F(Idx, ReadsGzip) {
  data::internal::Gzip gzip;
  std::string packed(gzip.add(kTwoByThree));
  packed += gzip.finish();
  EXPECT_EQ(read(packed).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 255}));
}

TEST_F(Idx, ReadsEveryElementTypeMostSignificantByteFirst) {
  EXPECT_EQ(read("\0\0\x09\x01\0\0\0\2\xff\x7f"s).to_vector<std::int64_t>(), (std::vector<std::int64_t>{-1, 127}));
  EXPECT_EQ(read("\0\0\x0b\x01\0\0\0\2\x01\x02\xff\xfe"s).to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{258, -2}));
  EXPECT_EQ(read("\0\0\x0c\x01\0\0\0\1\x80\0\0\1"s).to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{-2147483647}));
  EXPECT_EQ(read("\0\0\x0d\x01\0\0\0\1\xc0\x20\0\0"s).to_vector<float>(), (std::vector<float>{-2.5f}));
  EXPECT_EQ(read("\0\0\x0e\x01\0\0\0\1\x3f\xf8\0\0\0\0\0\0"s).to_vector<double>(), (std::vector<double>{1.5}));
}

TEST_F(Idx, ReadsNoRowsAndASingleNumber) {
  EXPECT_EQ(read("\0\0\x08\x02\0\0\0\0\0\0\0\3"s).shape(), Shape({0, 3}));
  EXPECT_EQ(read("\0\0\x08\0\x07"s).item<int>(), 7);
}

TEST_F(Idx, RefusesWhatIsNoIdxFile) {
  refuses("", "expected an IDX file");
  refuses("PNG\n....", "expected an IDX file");
  refuses("\0\0\x0a\x01\0\0\0\0"s, "expected an element type");
  refuses("\0\0\x08\x09"s + std::string(36, '\0'), "expected at most 8 dimensions, got 9");
  refuses("\0\0\x08\x02\0\0\0\2"s, "expected a header of 12 bytes");
}

TEST_F(Idx, RefusesAnotherLengthThanTheHeaderSays) {
  refuses(kTwoByThree.substr(0, kTwoByThree.size() - 1), "expected the elements of shape [2, 3]");
  refuses(kTwoByThree + "x", "got 7 bytes");
  // 2^32 - 1 three times: the product overflows, and nothing is allocated for it.
  refuses("\0\0\x0e\x03"s + std::string(12, '\xff') + "12345678", "got 8 bytes");
}

TEST_F(Idx, RefusesMoreThanItMayUnpack) {
  try {
    read(kTwoByThree, 10);
    ADD_FAILURE() << "expected a DataError";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("[read_idx]"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("at most 10 bytes"), std::string::npos) << error.what();
  }
}

TEST_F(Idx, NamesTheFileThatIsMissing) { EXPECT_THROW(data::read_idx(path_), FileError); }

}  // namespace
