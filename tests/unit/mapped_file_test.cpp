// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/mapped_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "geometry-transfer/error.h"
#include "safetensors_file.h"

namespace geometry_transfer {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;
using test::write_file;

constexpr std::size_t kSize = 1 << 20;

int sum(const std::byte* data, std::size_t size) {
  int total = 0;
  for (std::size_t i = 0; i < size; ++i) total += std::to_integer<int>(data[i]);
  return total;
}

TEST(MappedFile, HoldsTheFilesBytes) {
  TemporaryFolder folder;
  const MappedFile file(write_file(folder / "f", "abc"));
  EXPECT_EQ(file.size(), 3u);
  EXPECT_EQ(file.data()[1], std::byte{'b'});
  EXPECT_NO_THROW(file.check());
  EXPECT_NO_THROW(require_intact_mappings());
}

TEST(MappedFile, AReplacedFileStaysReadable) {
  TemporaryFolder folder;
  const std::string path = write_file(folder / "f", std::string(kSize, '\1'));
  const MappedFile file(path);
  fs::rename(write_file(folder / "new", "short"), path);
  EXPECT_EQ(sum(file.data(), kSize), static_cast<int>(kSize));
  EXPECT_NO_THROW(require_intact_mappings());
  fs::remove(path);
  EXPECT_NO_THROW(file.check());
}

TEST(MappedFile, ACutFileIsAnErrorAndNotTheEnd) {
  TemporaryFolder folder;
  const std::string path = write_file(folder / "f", std::string(kSize, '\1'));
  const MappedFile file(path), other(write_file(folder / "g", "untouched"));
  fs::resize_file(path, 8192);
  EXPECT_THROW(file.check(), Error);
  EXPECT_NO_THROW(require_intact_mappings());  // nobody has read the lost part
  EXPECT_EQ(sum(file.data(), kSize), 8192);    // zeros after the cut
  try {
    require_intact_mappings();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Error::Kind::model);
    EXPECT_NE(std::string(e.what()).find(path), std::string::npos) << e.what();
  }
  fs::resize_file(path, kSize);  // the old length with other bytes
  EXPECT_THROW(file.check(), Error);
  EXPECT_NO_THROW(other.check());
}

/// An index may name 1000 files. Each of them must be guarded.
TEST(MappedFile, ManyFilesAreAllGuarded) {
  TemporaryFolder folder;
  const std::string path = write_file(folder / "f", std::string(kSize, '\1'));
  std::vector<std::unique_ptr<MappedFile>> files;
  for (int i = 0; i < 700; ++i) files.push_back(std::make_unique<MappedFile>(path));
  fs::resize_file(path, 4096);
  for (const auto& file : files) ASSERT_EQ(file->data()[kSize - 1], std::byte{0});
  EXPECT_THROW(require_intact_mappings(), Error);
}

TEST(MappedFile, ForgetsWhatIsClosed) {
  TemporaryFolder folder;
  const std::string path = write_file(folder / "f", std::string(kSize, '\1'));
  {
    const MappedFile file(path);
    fs::resize_file(path, 1);
    EXPECT_EQ(sum(file.data(), kSize), 1);
    EXPECT_THROW(require_intact_mappings(), Error);
  }
  EXPECT_NO_THROW(require_intact_mappings());
  for (int i = 0; i < 300; ++i) MappedFile again(path);  // more than the table has places
  EXPECT_NO_THROW(MappedFile(path).check());
}

#ifndef __SANITIZE_ADDRESS__  // the sanitizer handles the signal itself and exits
TEST(MappedFileDeathTest, FaultsElsewhereEndTheProcessAsEver) {
  TemporaryFolder folder;
  const std::string path = write_file(folder / "f", std::string(kSize, '\1'));
  EXPECT_EXIT(
      {
        const MappedFile ours(path);
        std::FILE* f = std::fopen(path.c_str(), "r+");
        const auto* theirs = static_cast<const std::byte*>(mmap(nullptr, kSize, PROT_READ, MAP_PRIVATE, fileno(f), 0));
        fs::resize_file(path, 1);
        std::exit(sum(theirs, kSize));
      },
      ::testing::KilledBySignal(SIGBUS), "");
}
#endif

void leave(int) { std::_Exit(42); }

TEST(MappedFileDeathTest, FaultsElsewhereGoToWhoHandledThemBefore) {
  TemporaryFolder folder;
  const std::string path = write_file(folder / "f", std::string(kSize, '\1'));
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";  // a new process without our signal handler
  EXPECT_EXIT(
      {
        signal(SIGBUS, leave);
        const MappedFile ours(path);
        std::FILE* f = std::fopen(path.c_str(), "r+");
        const auto* theirs = static_cast<const std::byte*>(mmap(nullptr, kSize, PROT_READ, MAP_PRIVATE, fileno(f), 0));
        fs::resize_file(path, 1);
        std::exit(sum(theirs, kSize));
      },
      ::testing::ExitedWithCode(42), "");
}

}  // namespace
}  // namespace geometry_transfer
