// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/extra_model_paths.h"

#include <gtest/gtest.h>

#include <chrono>

#include "geometry-transfer/error.h"
#include "safetensors_file.h"

namespace geometry_transfer {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<fs::path>;

/// Returns the folders that a file of that content in /comfy lists, with the home /home/me.
Paths read(const std::string& text) {
  return parse_extra_model_paths(text.data(), text.size(), "/comfy/extra_model_paths.yaml", "/home/me");
}
/// Why it is refused; empty if it is not.
std::string refusal(const std::string& text) {
  try {
    read(text);
    return "";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Error::Kind::model);
    return e.what();
  }
}

TEST(ExtraModelPaths, ReadsTheFormsOfComfyUIsExample) {
  EXPECT_EQ(read("#Rename this to extra_model_paths.yaml\n"
                 "a111:\n"
                 "    base_path: path/to/webui/   # of the web UI\n"
                 "    checkpoints: models/Stable-diffusion\n"
                 "    loras: |\n"
                 "         models/Lora\n"
                 "         models/LyCORIS\n"
                 "    controlnet: models/ControlNet\n"
                 "comfyui:\n"
                 "    is_default: true\n"
                 "    checkpoints: |\n"
                 "        /data/models\n"
                 "        with space/#1\n"
                 "\n"
                 "        ~/mine\n"
                 "    base_path: /mnt/disk\n"
                 "    diffusers: folders/\n"
                 "empty:\n"),
            (Paths{"/comfy/path/to/webui/models/Stable-diffusion", "/data/models", "/mnt/disk/with space/#1", "/home/me/mine",
                   "/mnt/disk/folders/"}));
}

TEST(ExtraModelPaths, JoinsAsComfyUIDoes) {
  setenv("GT_TEST_DISK", "/disk 2", 1);
  unsetenv("GT_TEST_NONE");
  for (const auto& [base, whole] : {std::pair("~", "/home/me/x"),  // null
                                    {"'~'", "/home/me/x"},
                                    {"~/ai", "/home/me/ai/x"},
                                    {"~other/ai", "/comfy/~other/ai/x"},
                                    {"../up", "/up/x"},
                                    {"\"/q\\u00e9\"", "/q\u00e9/x"},
                                    {"$GT_TEST_DISK/ai", "/disk 2/ai/x"},
                                    {"${GT_TEST_DISK}ai", "/disk 2ai/x"},
                                    {"/$GT_TEST_NONE/${GT_TEST_NONE}/${/$", "/$GT_TEST_NONE/${GT_TEST_NONE}/${/$/x"},
                                    {"/a/./b/../c", "/a/c/x"}})
    EXPECT_EQ(read("s:\r\n  base_path: " + std::string(base) + "\r\n  checkpoints: x\r\n"),
              Paths{base == std::string("~") ? "/comfy/x" : whole})
        << base;
  EXPECT_EQ(read("{s: {checkpoints: a, checkpoints: b}}"), Paths{"/comfy/b"});  // the last one counts
  EXPECT_EQ(read("s: {other: [1, {base_path: /no, checkpoints: no}], [a]: b, checkpoints: x}"), Paths{"/comfy/x"});
}

TEST(ExtraModelPaths, NothingIsNoError) {
  for (const char* text :
       {"", "# only a comment\n", "---\n...\n", "~", "s:\n", "s: {}", "s: {checkpoints: }", "s: {checkpoints: ''}"})
    EXPECT_EQ(read(text), Paths()) << text;
}

TEST(ExtraModelPaths, RefusalsNameFileAndLine) {
  for (const auto& [text, line] : {std::pair<std::string, int>("- a\n- b\n", 1),
                                   {"just text", 1},
                                   {"# c\ns:\n  - a\n", 3},
                                   {"s: text", 1},
                                   {"s:\n  base_path: /x\n  checkpoints:\n    - a\n", 4},
                                   {"s:\n  base_path: {a: b}\n", 2},
                                   {"r: &r {a: b}\ns:\n  base_path: *r\n", 3},
                                   {"s:\n  checkpoints: \"a\\0b\"\n", 2},
                                   {"s:\n  checkpoints: a\n\tdiffusers: b\n", 3},
                                   {"s:\n  checkpoints: a\n b\nc: [", 3},
                                   {"s:\n  checkpoints: a\nc: [", 3},
                                   {"s:\n  a: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n", 2},
                                   {"s:\n  checkpoints: 'a\n", 3},
                                   {"s:\n  checkpoints: C:\\a: b\n", 2},
                                   {"s:\n\n  checkpoints: \xff\n", 3},
                                   {std::string("s:\n  a\0", 7), 2},
                                   {"a:\n---\nb:\n", 2}})
    EXPECT_EQ(refusal(text).find("/comfy/extra_model_paths.yaml, line " + std::to_string(line) + ": "), 0u) << text << "\n"
                                                                                                            << refusal(text);
  std::string many = "s:\n  checkpoints: |\n";
  for (int i = 0; i < 100; ++i) many += "    a\n";
  EXPECT_EQ(read(many).size(), 100u);
  EXPECT_NE(refusal(many + "    a\n").find("line 2: more than 100 folders"), std::string::npos);
}

TEST(ExtraModelPaths, NothingTakesLong) {
  const auto began = std::chrono::steady_clock::now();
  for (const char* piece :
       {"[", "{", "- ", "? ", "a: ", "&a ", "*a ", "\"", "'", "!", "%", "- - -\n", "|\n", "s: {", "\n", "\xc3"}) {
    std::string text;
    while (text.size() < (256 << 10)) text += piece;
    refusal(text);
    refusal("s:\n  checkpoints: " + text);
  }
  // Ten levels of ten aliases each: ten thousand million texts if they were followed.
  std::string laughs = "a0: &a0 [lol]\n";
  for (int i = 1; i <= 10; ++i) {
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) laughs += (k ? ", *a" : "*a") + std::to_string(i - 1);
    laughs += "]\n";
  }
  refusal(laughs);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

TEST(ExtraModelPaths, FilesAreBounded) {
  const test::TemporaryFolder folder;
  const std::string file = test::write_file(folder / "a.yaml", "s: {checkpoints: x}");
  EXPECT_EQ(read_extra_model_paths(file, "/"), Paths{folder / "x"});
  test::write_file(file, "");
  EXPECT_EQ(read_extra_model_paths(file, "/"), Paths());
  test::write_file(file, std::string((256 << 10) + 1, '#'));
  EXPECT_THROW(read_extra_model_paths(file, "/"), Error);
  EXPECT_THROW(read_extra_model_paths(folder.path(), "/"), Error);
  EXPECT_THROW(read_extra_model_paths(folder / "none.yaml", "/"), Error);
}

}  // namespace
}  // namespace geometry_transfer
