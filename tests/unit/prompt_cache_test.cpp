// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/prompt_cache.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "safetensors_file.h"

namespace geometry_transfer {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

class PromptCache : public ::testing::Test {
 protected:
  void SetUp() override { setenv("XDG_CACHE_HOME", folder.path().c_str(), 1); }
  fs::path file() const { return folder / "geometry-transfer/name.prompt"; }
  std::string bytes() const {
    std::stringstream all;
    all << std::ifstream(file(), std::ios::binary).rdbuf();
    return all.str();
  }
  const PromptEmbedding embedding{2, 3, {1, 2, 3, 4, 5, -6.5f}, {7, 8}};
  TemporaryFolder folder;
};

TEST_F(PromptCache, GivesBackWhatWasWritten) {
  EXPECT_FALSE(read_prompt_cache("name"));
  write_prompt_cache("name", embedding);
  const auto read = read_prompt_cache("name");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->tokens, 2);
  EXPECT_EQ(read->width, 3);
  EXPECT_EQ(read->context, embedding.context);
  EXPECT_EQ(read->pooled, embedding.pooled);
  EXPECT_FALSE(read_prompt_cache("another"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "geometry-transfer"), fs::directory_iterator()),
            1);  // no other file
}

TEST_F(PromptCache, EveryDamagedByteIsNoticed) {
  write_prompt_cache("name", embedding);
  const std::string good = bytes();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    std::ofstream(file(), std::ios::binary) << bad;
    EXPECT_FALSE(read_prompt_cache("name")) << "byte " << i;
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::ofstream(file(), std::ios::binary) << good.substr(0, i);
    EXPECT_FALSE(read_prompt_cache("name")) << "cut at " << i;
  }
  std::ofstream(file(), std::ios::binary) << good << "x";
  EXPECT_FALSE(read_prompt_cache("name"));
  std::ofstream(file(), std::ios::binary) << good;
  EXPECT_TRUE(read_prompt_cache("name"));
  fs::rename(file(), folder / "geometry-transfer/other.prompt");
  EXPECT_FALSE(read_prompt_cache("other"));  // the cache of another model
}

TEST_F(PromptCache, NothingThatLiesThereMatters) {
  fs::create_directories(file());  // a folder of that name
  EXPECT_FALSE(read_prompt_cache("name"));
  write_prompt_cache("name", embedding);
  EXPECT_FALSE(read_prompt_cache("name"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "geometry-transfer"), fs::directory_iterator()), 1);
  setenv("XDG_CACHE_HOME", "/dev/null", 1);
  write_prompt_cache("name", embedding);
  EXPECT_FALSE(read_prompt_cache("name"));
  setenv("XDG_CACHE_HOME", "relative", 1);
  unsetenv("HOME");
  write_prompt_cache("name", embedding);
  EXPECT_FALSE(read_prompt_cache("name"));
  EXPECT_FALSE(fs::exists("relative"));
}

TEST_F(PromptCache, WhatAKilledWriteLeftIsRemovedADayLater) {
  write_prompt_cache("SD-1.x-768", embedding);
  const fs::path cache = folder / "geometry-transfer";
  const auto now = fs::file_time_type::clock::now();
  const pid_t child = fork();
  if (child == 0) {  // the signal of a full disk ends it while it writes
    std::signal(SIGXFSZ, SIG_DFL);
    rlimit full{10, 10};
    setrlimit(RLIMIT_FSIZE, &full);
    write_prompt_cache("killed", embedding);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(std::distance(fs::directory_iterator(cache), fs::directory_iterator()), 2);
  for (const auto& entry : fs::directory_iterator(cache)) fs::last_write_time(entry, now - std::chrono::hours(25));
  // Another leftover; the other files are young, or not of a write.
  const std::pair<const char*, int> files[] = {{"SD-1.x-768.prompt.zzzzzz", 400},
                                               {"name.prompt.running", 25},
                                               {"name.prompt.d4E5f6", 23},
                                               {"other.prompt", 400},
                                               {"notes.config", 400},
                                               {"name.prompt.future", -48}};
  for (const auto& [name, hours] : files) {
    test::write_file(cache / name, "half");
    fs::last_write_time(cache / name, now - std::chrono::hours(hours));
  }
  write_prompt_cache("name", embedding);
  std::set<std::string> left;
  for (const auto& entry : fs::directory_iterator(cache)) left.insert(entry.path().filename());
  EXPECT_EQ(left, (std::set<std::string>{"SD-1.x-768.prompt", "name.prompt", "name.prompt.running", "name.prompt.d4E5f6",
                                         "other.prompt", "notes.config", "name.prompt.future"}));
  EXPECT_TRUE(read_prompt_cache("SD-1.x-768"));
}

TEST_F(PromptCache, AFullDiskLeavesTheOldOneAndNothingElse) {
  write_prompt_cache("name", embedding);
  const std::string before = bytes();
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  rlimit full = limit;
  full.rlim_cur = before.size() / 2;
  setrlimit(RLIMIT_FSIZE, &full);
  write_prompt_cache("name", {2, 3, {9, 9, 9, 9, 9, 9}, {7, 8}});
  write_prompt_cache("new", embedding);
  setrlimit(RLIMIT_FSIZE, &limit);
  EXPECT_EQ(bytes(), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "geometry-transfer"), fs::directory_iterator()), 1);
}

TEST_F(PromptCache, AClosedHomeIsNoError) {
  const fs::path closed = folder / "closed";
  fs::create_directories(closed / "geometry-transfer");
  for (const fs::path& place : {closed / "geometry-transfer", closed}) {
    fs::permissions(folder.path(), fs::perms::all);
    fs::permissions(place, fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read | fs::perms::others_exec);
    setenv("XDG_CACHE_HOME", closed.c_str(), 1);
    const uid_t me = geteuid();
    ASSERT_EQ(seteuid(me == 0 ? 65534 : me), 0);  // root could write everywhere
    write_prompt_cache("name", embedding);
    const bool found = read_prompt_cache("name").has_value();
    ASSERT_EQ(seteuid(me), 0);
    EXPECT_FALSE(found);
    EXPECT_TRUE(fs::is_empty(closed / "geometry-transfer"));
  }
  fs::permissions(closed, fs::perms::all);
}

TEST_F(PromptCache, FingerprintsFollowTheContents) {
  const fs::path golden = fs::path(std::getenv("SOURCE")) / "tests/golden";
  const ModelFiles sd15 = open_model(golden / "sd15");
  const std::string name = text_fingerprint(sd15);
  EXPECT_EQ(name.size(), 32u);
  EXPECT_EQ(text_fingerprint(open_model(golden / "sd15")), name);
  EXPECT_NE(text_fingerprint(open_model(golden / "sd21")), name);
  EXPECT_NE(text_fingerprint(open_model(golden / "sdxl")), name);
  ModelFiles other = sd15;
  other.text.quick_gelu = false;
  EXPECT_NE(text_fingerprint(other), name);
  fs::copy(golden / "sd15", folder.path() / "m", fs::copy_options::recursive);
  EXPECT_EQ(text_fingerprint(open_model(folder.path() / "m")), name);
  const fs::path weights = folder.path() / "m/text_encoder/model.safetensors";
  std::fstream patch(weights, std::ios::binary | std::ios::in | std::ios::out);
  patch.seekp(-3, std::ios::end);
  patch.put('\x7f');
  patch.close();
  EXPECT_NE(text_fingerprint(open_model(folder.path() / "m")), name);
  EXPECT_EQ(text_fingerprint(ModelFiles()), "");
}

/// The model sd15 or sdxl of the golden files in `folder`, its files old enough to be remembered.
fs::path old_copy(const fs::path& folder, const std::string& family) {
  fs::copy(fs::path(std::getenv("SOURCE")) / "tests/golden" / family, folder, fs::copy_options::recursive);
  std::this_thread::sleep_for(std::chrono::milliseconds(3100));
  return folder;
}

TEST_F(PromptCache, AnyByteOfATextEncoderChangesItsFingerprint) {
  const fs::path model = old_copy(folder / "m", "sdxl");
  std::set<std::string> names = {text_fingerprint(open_model(model))};
  std::size_t changes = 0;
  for (const char* part : {"text_encoder", "text_encoder_2"}) {
    const fs::path weights = model / part / "model.safetensors";
    const auto time = fs::last_write_time(weights);
    std::uint64_t header = 0;
    std::ifstream(weights, std::ios::binary).read(reinterpret_cast<char*>(&header), sizeof header);
    const std::uint64_t begin = 8 + header, size = fs::file_size(weights);
    for (std::uint64_t at = begin; at < size; at += (size - begin) / 20 + 1, ++changes) {
      std::fstream patch(weights, std::ios::binary | std::ios::in | std::ios::out);
      patch.seekg(static_cast<std::streamoff>(at));
      const int old = patch.get();
      patch.seekp(static_cast<std::streamoff>(at));
      patch.put(static_cast<char>(old ^ 1));
      patch.close();
      fs::last_write_time(weights, time);  // size, inode and this time are as before
      names.insert(text_fingerprint(open_model(model)));
    }
  }
  EXPECT_EQ(changes, 40u);
  EXPECT_EQ(names.size(), changes + 1);
}

TEST_F(PromptCache, AFingerprintIsRememberedWhileItsFilesAreTheSame) {
  const fs::path list = folder / "geometry-transfer/text-encoders.hashes", model = old_copy(folder / "m", "sdxl");
  const auto kept = [&] {
    std::stringstream all;
    all << std::ifstream(list).rdbuf();
    return all.str();
  };
  const auto now = [&] { return text_fingerprint(open_model(model)); };
  const std::string name = now();
  ASSERT_EQ(kept().size(), 66u);
  EXPECT_EQ(kept().substr(33, 32), name);
  // Another key in the list comes back: nothing was read.
  const std::string other(32, 'a');
  test::write_file(list, kept().substr(0, 33) + other + "\n");
  EXPECT_EQ(now(), other);
  ModelFiles changed = open_model(model);
  changed.text.quick_gelu = !changed.text.quick_gelu;
  EXPECT_NE(text_fingerprint(changed), other);
  EXPECT_EQ(kept().size(), 2 * 66u);
  // Whatever else lies there is not believed, and at most 100 lines are kept.
  for (const std::string& junk : {std::string(), std::string("x\n"), kept().substr(0, 33) + "\n", std::string(100000, 'a'),
                                  std::string(33, 'a') + "\n" + std::string(65, 'Z') + "\n"}) {
    test::write_file(list, junk);
    EXPECT_EQ(now(), name);
    EXPECT_EQ(kept().size(), 66u);
  }
  std::string many;
  for (int i = 0; i < 100; ++i) many += std::string(30, 'b') + std::to_string(10 + i % 90) + " " + other + "\n";
  test::write_file(list, many);
  EXPECT_EQ(now(), name);
  EXPECT_EQ(kept().size(), 100 * 66u);
  // A touched file is young: read, and not remembered before another change would show.
  for (const char* part : {"text_encoder", "text_encoder_2"}) {
    fs::remove(list);
    const fs::path weights = model / part / "model.safetensors";
    fs::last_write_time(weights, fs::last_write_time(weights));
    EXPECT_EQ(now(), name);
    EXPECT_FALSE(fs::exists(list));
  }
}

}  // namespace
}  // namespace geometry_transfer
