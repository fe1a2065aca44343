// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/safetensors.h"

#include <gtest/gtest.h>

#include <chrono>

#include <cstring>

#include "geometry-transfer/error.h"
#include "safetensors_file.h"

namespace geometry_transfer {
namespace {

using test::safetensors_bytes;
using test::TemporaryFolder;
using test::write_file;

/// Returns the message of the refusal; empty if the bytes are accepted.
std::string refusal(const std::string& bytes) {
  TemporaryFolder folder;
  const std::string path = write_file(folder / "model.safetensors", bytes);
  try {
    open_safetensors(path);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Error::Kind::model);
    EXPECT_NE(std::string(e.what()).find(path), std::string::npos) << e.what();
    return e.what();
  }
  return "";
}

void expect_refused(const std::string& bytes, const std::string& reason) {
  const std::string message = refusal(bytes);
  EXPECT_NE(message.find(reason), std::string::npos) << '"' << message << "\" does not say \"" << reason << '"';
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

TEST(Safetensors, ReadsTensorsOfThreeTypes) {
  TemporaryFolder folder;
  const float values[] = {1.5f, -2, 3, 4, 5, 6};
  const std::string path =
      write_file(folder / "m.safetensors",
                 safetensors_bytes({{"b", "F32", {2, 3}, std::string(reinterpret_cast<const char*>(values), sizeof values)},
                                    {"a", "F16", {2}, "abcd"},
                                    {"c", "BF16", {}, "xy"},
                                    {"empty", "F32", {0, 7}, ""}}));
  const auto file = open_safetensors(path);
  EXPECT_EQ(file->keys(), (std::vector<std::string>{"a", "b", "c", "empty"}));
  EXPECT_EQ(file->path(), path);
  EXPECT_EQ(file->find("d"), nullptr);
  const TensorView* b = file->find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->dtype, DType::f32);
  EXPECT_EQ(b->shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(std::memcmp(b->data, values, sizeof values), 0);
  EXPECT_EQ(file->find("a")->dtype, DType::f16);
  EXPECT_EQ(std::memcmp(file->find("a")->data, "abcd", 4), 0);
  EXPECT_EQ(file->find("c")->dtype, DType::bf16);
  EXPECT_TRUE(file->find("c")->shape.empty());
  EXPECT_EQ(file->find("empty")->shape, (std::vector<std::int64_t>{0, 7}));
}

TEST(Safetensors, MetadataIsAllowedOnce) {
  EXPECT_EQ(refusal(safetensors_bytes(
                "{\"__metadata__\":{\"format\":\"pt\",\"dtype\":\"x\"}," + entry("a", "F16", "[1]", "[0,2]") + "}", "ab")),
            "");
  expect_refused(safetensors_bytes("{\"__metadata__\":{},\"__metadata__\":{}}", ""), "twice");
  expect_refused(safetensors_bytes("{\"__metadata__\":{\"a\":{}}}", ""), "nested");
  expect_refused(safetensors_bytes("{\"__metadata__\":{\"a\":1}}", ""), "a number");
}

TEST(Safetensors, RefusesWhatIsNoSuchFile) {
  expect_refused("short", "not a safetensors file");
  expect_refused(std::string("PK\3\4 a zip file, as .ckpt are inside......"), "not a safetensors file");
  expect_refused(std::string(8, '\xff') + "{}", "not a safetensors file");
  std::string cut = safetensors_bytes("{" + entry("a", "F16", "[1]", "[0,2]") + "}", "ab");
  expect_refused(cut.substr(0, 30), "not a safetensors file");  // within the header
  EXPECT_EQ(refusal(cut), "");
}

TEST(Safetensors, RefusesTruncatedAndLeftOverData) {
  const std::string header = "{" + entry("a", "F32", "[2,2]", "[0,16]") + "}";
  EXPECT_EQ(refusal(safetensors_bytes(header, std::string(16, 0))), "");
  expect_refused(safetensors_bytes(header, std::string(15, 0)), "incomplete");
  const std::size_t start = 8 + header.size();
  expect_refused(safetensors_bytes(header, std::string(15, 0)),
                 "ends at byte " + std::to_string(start + 16) + ", the file at " + std::to_string(start + 15));
  expect_refused(safetensors_bytes(header, std::string(17, 0)), "damaged");
}

TEST(Safetensors, RefusesOffsetsThatDoNotFitTheShape) {
  const auto refused = [](const std::string& shape, const std::string& offsets) {
    expect_refused(safetensors_bytes("{" + entry("a", "F32", shape, offsets) + "}", std::string(16, 0)), "shape");
  };
  refused("[2,3]", "[0,16]");
  refused("[2,2]", "[16,0]");
  refused("[4611686018427387904,4]", "[0,16]");   // 2^64 numbers: 0 after overflow
  refused("[4294967296,4294967296,4]", "[0,0]");  // the same
  refused("[9223372036854775808]", "[0,16]");     // more than 2^63
  expect_refused(safetensors_bytes("{" + entry("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") + "}", "abcd"), "axes");
  expect_refused(safetensors_bytes("{" + entry("a", "F4", "[3]", "[0,1]") + "}", "a"), "shape");  // one byte and a half
}

TEST(Safetensors, RefusesOverlapsAndGaps) {
  const auto two = [](const std::string& first, const std::string& second) {
    return safetensors_bytes("{" + entry("a", "F16", "[2]", first) + "," + entry("b", "F16", "[2]", second) + "}",
                             std::string(8, 0));
  };
  EXPECT_EQ(refusal(two("[4,8]", "[0,4]")), "");
  expect_refused(two("[0,4]", "[2,6]"), "does not begin where");
  expect_refused(two("[0,4]", "[0,4]"), "does not begin where");
  expect_refused(two("[2,6]", "[6,10]"), "incomplete");
  // One gap before the first tensor and one between two tensors; both files end in time.
  const auto one_of_four = [](const std::string& first, const std::string& second, std::size_t bytes) {
    return safetensors_bytes("{" + entry("a", "F16", "[1]", first) + "," + entry("b", "F16", "[1]", second) + "}",
                             std::string(bytes, 0));
  };
  EXPECT_EQ(refusal(one_of_four("[0,2]", "[2,4]", 4)), "");
  expect_refused(one_of_four("[2,4]", "[4,6]", 6), "does not begin where");
  expect_refused(one_of_four("[0,2]", "[4,6]", 6), "does not begin where");
}

TEST(Safetensors, RefusesHeadersOfAnotherForm) {
  const auto refused = [](const std::string& header, const std::string& reason) {
    expect_refused(safetensors_bytes(header, "ab"), reason);
  };
  const std::string good = entry("a", "F16", "[1]", "[0,2]");
  refused("{" + good + "," + good + "}", "twice");
  refused("{" + entry("a", "F99", "[1]", "[0,2]") + "}", "unknown number format F99");
  refused("{\"a\":{\"dtype\":\"F16\",\"shape\":[1]}}", "incomplete entry");
  refused("{\"a\":{\"dtype\":\"F16\",\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}", "twice");
  refused("{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2],\"extra\":1}}", "unknown field");
  refused("{\"a\":{\"dtype\":\"F16\",\"shape\":[-1],\"data_offsets\":[0,2]}}", "negative");
  refused("{\"a\":{\"dtype\":\"F16\",\"shape\":[1.0],\"data_offsets\":[0,2]}}", "fraction");
  refused("{\"a\":{\"dtype\":\"F16\",\"shape\":[[1]],\"data_offsets\":[0,2]}}", "list");
  refused("{\"a\":{\"dtype\":\"F16\",\"shape\":1,\"data_offsets\":[0,2]}}", "number");
  refused("{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2,3]}}", "more than two");
  refused("{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0]}}", "incomplete entry");
  refused("{\"a\":{\"dtype\":null,\"shape\":[1],\"data_offsets\":[0,2]}}", "null");
  refused("{\"a\":[0,2]}", "list");
  refused("{\"a\":{\"b\":{\"c\":{}}}}", "unknown field");
  refused("{\"a\":", "not valid JSON");
  refused("{" + good + "} {}", "not valid JSON");
  refused("{\"\xff\":{}}", "not valid JSON");
  refused("{\"" + std::string(2000, 'n') + "\":{}}", "1024");
}

TEST(Safetensors, NamesNumberFormatsItCannotUse) {
  TemporaryFolder folder;
  const auto file = open_safetensors(
      write_file(folder / "m.safetensors", safetensors_bytes({{"ids", "I64", {1}, "12345678"}, {"w", "F8_E4M3", {2}, "ab"}})));
  EXPECT_EQ(file->keys(), (std::vector<std::string>{"ids", "w"}));
  try {
    file->find("w");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("\"w\" as F8_E4M3"), std::string::npos) << e.what();
  }
}

TEST(Safetensors, NoticesThatTheFileChanged) {
  TemporaryFolder folder;
  const std::string path = write_file(folder / "m.safetensors", safetensors_bytes({{"a", "F16", {4096}, std::string(8192, 1)}}));
  const auto file = open_safetensors(path);
  ASSERT_NE(file->find("a"), nullptr);
  std::filesystem::resize_file(path, 100);
  EXPECT_THROW(file->find("a"), Error);
}

TEST(Safetensors, NoticesThatTheFileWasRewrittenInPlaceWithTheSameSize) {
  TemporaryFolder folder;
  const std::string path = write_file(folder / "m.safetensors", safetensors_bytes({{"a", "F16", {4}, std::string(8, 1)}}));
  const auto file = open_safetensors(path);
  ASSERT_NE(file->find("a"), nullptr);
  const auto size = std::filesystem::file_size(path);
  std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) - std::chrono::seconds(5));
  ASSERT_EQ(std::filesystem::file_size(path), size);
  EXPECT_THROW(file->find("a"), Error);
}

TEST(Safetensors, RefusesFoldersPipesAndMissingFiles) {
  TemporaryFolder folder;
  EXPECT_THROW(open_safetensors(folder.path().string()), Error);
  EXPECT_THROW(open_safetensors((folder / "none").string()), Error);
  EXPECT_THROW(open_safetensors(write_file(folder / "empty.safetensors", "")), Error);
  const std::string pipe = (folder / "pipe.safetensors").string();
  ASSERT_EQ(std::system(("mkfifo '" + pipe + "'").c_str()), 0);
  EXPECT_THROW(open_safetensors(pipe), Error);
}

TEST(ShardedSafetensors, FindsEachTensorInItsFile) {
  TemporaryFolder folder;
  write_file(folder / "m-1.safetensors", safetensors_bytes({{"a", "F16", {1}, "aa"}}));
  write_file(folder / "m-2.safetensors", safetensors_bytes({{"b", "F16", {1}, "bb"}, {"c", "F16", {1}, "cc"}}));
  const std::string index =
      "{\"metadata\":{\"total_size\":6},\"weight_map\":{\"a\":\"m-1.safetensors\",\"b\":\"m-2.safetensors\","
      "\"c\":\"m-2.safetensors\"}}";
  const auto both = open_sharded_safetensors(write_file(folder / "m.safetensors.index.json", index));
  EXPECT_EQ(both->keys(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(std::memcmp(both->find("a")->data, "aa", 2), 0);
  EXPECT_EQ(std::memcmp(both->find("c")->data, "cc", 2), 0);
  EXPECT_EQ(both->find("d"), nullptr);
}

TEST(ShardedSafetensors, RefusesWhatLeadsAstray) {
  TemporaryFolder folder;
  write_file(folder / "m-1.safetensors", safetensors_bytes({{"a", "F16", {1}, "aa"}}));
  const auto refused = [&](const std::string& index, const std::string& reason) {
    try {
      open_sharded_safetensors(write_file(folder / "m.safetensors.index.json", index));
      ADD_FAILURE() << index << " was accepted";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(reason), std::string::npos) << e.what();
    }
  };
  refused("{\"weight_map\":{\"a\":\"../m-1.safetensors\"}}", "only files beside it");
  refused("{\"weight_map\":{\"a\":\"/etc/passwd\"}}", "only files beside it");
  refused("{\"weight_map\":{\"a\":7}}", "only files beside it");
  refused("{\"weight_map\":{\"b\":\"m-1.safetensors\"}}", "has no \"b\"");
  refused("{\"weight_map\":{\"a\":\"m-2.safetensors\"}}", "m-2.safetensors cannot be read");
  refused("{\"weight_map\":{\"a\":\"m-1.safetensors\",\"a\":\"m-1.safetensors\"}}", "twice");
  refused("{\"weight_map\":[]}", "no \"weight_map\"");
  refused("[]", "not a JSON object");
  refused("{", "not valid JSON");
  refused(std::string(100, '[') + std::string(100, ']'), "nested too deeply");
}

std::string list_of_objects(int count) {
  std::string list;
  for (int i = 0; i < count; ++i) list += "{},";
  return "{\"weight_map\":{\"a\":\"m-1.safetensors\"},\"more\":[" + list + "0]}";
}

/// The time is proportional to the size. Before, each object of a list was compared with all before it, which took
/// minutes for this megabyte.
TEST(ShardedSafetensors, ALongListTakesNoLonger) {
  TemporaryFolder folder;
  write_file(folder / "m-1.safetensors", safetensors_bytes({{"a", "F16", {1}, "aa"}}));
  const auto open = [&](const std::string& index) { return open_sharded_safetensors(write_file(folder / "i.json", index)); };
  EXPECT_EQ(open(list_of_objects(400'000))->keys().size(), 1u);
  try {
    open(list_of_objects(600'000));
    ADD_FAILURE() << "accepted";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("too many values"), std::string::npos) << e.what();
  }
}

/// The parser quotes at most a sentence of the file.
TEST(ShardedSafetensors, ALongTextIsNotQuotedWhole) {
  TemporaryFolder folder;
  const std::string path = write_file(folder / "i.json", "{\"a\":\"" + std::string(100'000, 'x') + "\x01\"}");
  try {
    open_sharded_safetensors(path);
    ADD_FAILURE() << "accepted";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("not valid JSON"), std::string::npos);
    EXPECT_LT(std::string(e.what()).size(), 3000u);
  }
}

}  // namespace
}  // namespace geometry_transfer
