// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/safetensors_header.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "request/text.h"

namespace geometry_transfer {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the reference implementation's own limit
constexpr std::size_t kMaxTensors = 200'000, kMaxName = 1024, kMaxAxes = 8;

struct Type {
  const char* name;
  int bits;
};
// https://github.com/huggingface/safetensors, safetensors/src/tensor.rs, enum Dtype
constexpr Type types[] = {{"BOOL", 8},    {"U8", 8},   {"I8", 8},      {"F8_E5M2", 8}, {"F8_E4M3", 8},
                          {"F8_E8M0", 8}, {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"I16", 16},
                          {"U16", 16},    {"F16", 16}, {"BF16", 16},   {"I32", 32},    {"U32", 32},
                          {"F32", 32},    {"F64", 64}, {"I64", 64},    {"U64", 64},    {"C64", 64}};

/// Reads the header by parser events, and checks each value before it is stored.
/// Depth 0: outside; 1: names; 2: one tensor, or the metadata; 3: a list of numbers.
class Reader : public nlohmann::json_sax<Json> {
 public:
  Reader(std::map<std::string, SafetensorsEntry>& entries, const std::string& path) : entries_(entries), path_(path) {}

  bool null() override { refuse("null"); }
  bool boolean(bool) override { refuse("true/false"); }
  bool number_integer(number_integer_t) override { refuse("a negative number"); }
  bool number_unsigned(number_unsigned_t value) override {
    if (depth_ != 3) refuse("a number");
    if (field_ == "shape") {
      if (entry_.shape.size() == kMaxAxes) refuse("a shape of too many axes");
      if (value > static_cast<std::uint64_t>(INT64_MAX)) refuse("a shape out of range");
      entry_.shape.push_back(static_cast<std::int64_t>(value));
    } else {
      if (offsets_ == 2) refuse("more than two data_offsets");
      (offsets_++ ? entry_.end : entry_.begin) = value;
    }
    return true;
  }
  bool number_float(number_float_t, const string_t&) override { refuse("a fraction"); }
  bool string(string_t& value) override {
    if (metadata_ && depth_ == 2) return true;
    if (depth_ != 2 || field_ != "dtype") refuse("text");
    entry_.dtype = value;
    return true;
  }
  bool binary(binary_t&) override { refuse("binary"); }
  bool start_object(std::size_t) override {
    if (depth_ >= 2) refuse("a nested object");
    if (++depth_ == 2) {
      entry_ = {};
      fields_ = 0;
      offsets_ = 0;
    }
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ == 1) {
      if (name.size() > kMaxName) refuse("a name of more than 1024 bytes");
      metadata_ = name == "__metadata__";
      name_ = name;
      if (metadata_ ? saw_metadata_ : entries_.count(name) != 0) refuse("this name twice");
      saw_metadata_ |= metadata_;
    } else if (!metadata_) {
      field_ = name;
      const int bit = name == "dtype" ? 1 : name == "shape" ? 2 : name == "data_offsets" ? 4 : 0;
      if (!bit) refuse("an unknown field");
      if (fields_ & bit) refuse("a field twice");
      fields_ |= bit;
    }
    return true;
  }
  bool end_object() override {
    if (--depth_ == 1 && !metadata_) {
      if (fields_ != 7 || offsets_ != 2) refuse("an incomplete entry");
      if (entries_.size() == kMaxTensors) refuse("too many tensors");
      entries_.emplace(name_, entry_);
    }
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ != 2 || metadata_ || (field_ != "shape" && field_ != "data_offsets")) refuse("a list");
    ++depth_;
    return true;
  }
  bool end_array() override { return --depth_, true; }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    throw error(Error::Kind::model, _("{0} is damaged: its header is not valid JSON at byte {1}. Download it again."), path_,
                position + 8);
  }

 private:
  [[noreturn]] void refuse(const char* what) const {
    throw error(Error::Kind::model, _("{0} is damaged: its header is invalid at \"{2}\" ({1}). Download it again."), path_, what,
                name_);
  }

  std::map<std::string, SafetensorsEntry>& entries_;
  const std::string& path_;
  std::string name_, field_;
  SafetensorsEntry entry_;
  int depth_ = 0, fields_ = 0, offsets_ = 0;
  bool metadata_ = false, saw_metadata_ = false;
};

/// Bytes of a tensor; nothing when they do not fit 64 bits, or are no whole number.
std::optional<std::uint64_t> tensor_bytes(const std::vector<std::int64_t>& shape, int bits) {
  std::uint64_t total = static_cast<std::uint64_t>(bits);
  for (const std::int64_t side : shape)
    if (__builtin_mul_overflow(total, static_cast<std::uint64_t>(side), &total)) return {};
  if (total % 8 != 0) return {};
  return total / 8;
}

}  // namespace

std::map<std::string, SafetensorsEntry> read_safetensors_header(const std::byte* data, std::uint64_t size,
                                                                const std::string& path) {
  const auto not_ours = [&] {
    return error(Error::Kind::model, _("{0} is not a safetensors file, or the download is incomplete."), path);
  };
  if (size < 8) throw not_ours();
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | std::to_integer<std::uint64_t>(data[i]);
  if (length < 2 || length > kMaxHeader || length > size - 8 || data[8] != std::byte{'{'}) throw not_ours();

  std::map<std::string, SafetensorsEntry> entries;
  Reader reader(entries, path);
  const char* text = reinterpret_cast<const char*>(data) + 8;
  Json::sax_parse(text, text + length, &reader);

  const std::uint64_t start = 8 + length;
  std::vector<std::pair<std::uint64_t, const std::string*>> order;
  for (auto& [name, entry] : entries) {
    const auto type =
        std::find_if(std::begin(types), std::end(types), [dtype = &entry.dtype](const Type& t) { return *dtype == t.name; });
    if (type == std::end(types))
      throw error(Error::Kind::model, _("{0}: \"{1}\" has the unknown number format {2}."), path, name, entry.dtype);
    const auto bytes = tensor_bytes(entry.shape, type->bits);
    if (entry.begin > entry.end || !bytes || *bytes != entry.end - entry.begin)
      throw error(Error::Kind::model, _("{0} is damaged: the size of \"{1}\" does not match its shape. Download it again."), path,
                  name);
    if (entry.end > size - start)
      throw error(Error::Kind::model, _("{0} is incomplete: \"{1}\" ends at byte {2}, the file at {3}. Download it again."), path,
                  name, start + entry.end, size);
    order.emplace_back(entry.begin, &name);
  }
  // Check that the tensors fill the file without gap or overlap, as the format demands. Damaged downloads fail here.
  // Tensors of no bytes sort before the one that begins at the same place.
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    return std::make_pair(a.first, entries[*a.second].end) < std::make_pair(b.first, entries[*b.second].end);
  });
  std::uint64_t reached = 0;
  for (const auto& [begin, name] : order) {
    if (begin != reached)
      throw error(Error::Kind::model, _("{0} is damaged: \"{1}\" does not begin where the tensor before it ends."), path, *name);
    reached = entries[*name].end;
  }
  if (reached != size - start)
    throw error(Error::Kind::model, _("{0} is damaged: its tensors have {1} bytes, the file holds {2}. Download it again."), path,
                reached, size - start);
  for (auto& [name, entry] : entries) {
    entry.begin += start;
    entry.end += start;
  }
  return entries;
}

}  // namespace geometry_transfer
