// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/safetensors.h"

#include <map>
#include <set>

#include "request/text.h"
#include "weights/json_file.h"
#include "weights/mapped_file.h"
#include "weights/safetensors_header.h"

namespace geometry_transfer {
namespace {

class Safetensors : public Checkpoint {
 public:
  explicit Safetensors(const std::string& path) : file_(path) {
    for (auto& [name, entry] : read_safetensors_header(file_.data(), file_.size(), path)) {
      const bool f32 = entry.dtype == "F32", f16 = entry.dtype == "F16", bf16 = entry.dtype == "BF16";
      if (!f32 && !f16 && !bf16) {
        others_.emplace(name, entry.dtype);
        continue;
      }
      tensors_.emplace(name, TensorView{f32   ? DType::f32
                                        : f16 ? DType::f16
                                              : DType::bf16,
                                        std::move(entry.shape), file_.data() + entry.begin});
    }
  }

  const TensorView* find(const std::string& key) const override {
    const auto found = tensors_.find(key);
    if (found != tensors_.end()) {
      file_.check();
      return &found->second;
    }
    const auto other = others_.find(key);
    if (other == others_.end()) return nullptr;
    throw error(Error::Kind::model,
                _("{0} stores \"{1}\" as {2}. Only F32, F16 and BF16 are supported: download the model in one of them."),
                file_.path(), key, other->second);
  }
  void forget(const std::string& key) const override {
    const auto found = tensors_.find(key);
    if (found == tensors_.end()) return;
    std::uint64_t bytes = static_cast<std::uint64_t>(dtype_size(found->second.dtype));
    for (const std::int64_t side : found->second.shape) bytes *= static_cast<std::uint64_t>(side);
    file_.forget(found->second.data, bytes);
  }
  std::vector<std::string> keys() const override {
    std::set<std::string> all;
    for (const auto& row : tensors_) all.insert(row.first);
    for (const auto& row : others_) all.insert(row.first);
    return {all.begin(), all.end()};
  }
  std::string identity() const override { return file_.identity(); }
  std::string path() const override { return file_.path(); }

 private:
  MappedFile file_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> others_;  // of number formats that are not understood
};

/// A checkpoint in several files. The index names the file of each key.
class Shards : public Checkpoint {
 public:
  explicit Shards(const std::string& index_path) : path_(index_path) {
    constexpr std::size_t kMaxIndex = 64 << 20, kMaxFiles = 1000;
    const Json index = read_json_object(index_path, kMaxIndex);
    const auto map = index.find("weight_map");
    if (map == index.end() || !map->is_object())
      throw error(Error::Kind::model, _("{0} has no \"weight_map\": it is not an index of safetensors files."), index_path);
    const std::string folder = index_path.substr(0, index_path.find_last_of('/') + 1);
    std::map<std::string, std::shared_ptr<const Checkpoint>> files;
    for (const auto& [key, value] : map->items()) {
      const std::string file = value.is_string() ? value.get<std::string>() : std::string();
      // A name only: an index has no business elsewhere on the disk.
      if (file.empty() || file[0] == '.' || file.find('/') != std::string::npos || file.find('\0') != std::string::npos)
        throw error(Error::Kind::model, _("{0} names \"{1}\" for \"{2}\": only files beside it are opened."), index_path, file,
                    key);
      auto& checkpoint = files[file];
      if (files.size() > kMaxFiles) throw error(Error::Kind::model, _("{0} names too many files."), index_path);
      if (!checkpoint) checkpoint = open_safetensors(folder + file);
      owner_.emplace(key, checkpoint);
    }
    std::map<const Checkpoint*, std::set<std::string>> names;
    for (const auto& [file, checkpoint] : files) {
      files_.push_back(checkpoint);
      const auto keys = checkpoint->keys();
      names[checkpoint.get()] = std::set<std::string>(keys.begin(), keys.end());
    }
    for (const auto& [key, checkpoint] : owner_)
      if (!names[checkpoint.get()].count(key))
        throw error(Error::Kind::model, _("{0} has no \"{1}\", which {2} promises: download it again."), checkpoint->path(), key,
                    index_path);
  }

  const TensorView* find(const std::string& key) const override {
    const auto found = owner_.find(key);
    return found == owner_.end() ? nullptr : found->second->find(key);
  }
  void forget(const std::string& key) const override {
    const auto found = owner_.find(key);
    if (found != owner_.end()) found->second->forget(key);
  }
  std::vector<std::string> keys() const override {
    std::vector<std::string> names;
    for (const auto& row : owner_) names.push_back(row.first);
    return names;
  }
  std::string identity() const override {
    std::string all;
    for (const auto& file : files_) {
      const std::string one = file->identity();
      if (one.empty()) return {};
      all += one + ";";
    }
    return all;
  }
  std::string path() const override { return path_; }

 private:
  std::string path_;
  std::vector<std::shared_ptr<const Checkpoint>> files_;  // by name
  std::map<std::string, std::shared_ptr<const Checkpoint>> owner_;
};

}  // namespace

std::shared_ptr<const Checkpoint> open_safetensors(const std::string& path) { return std::make_shared<Safetensors>(path); }

std::shared_ptr<const Checkpoint> open_sharded_safetensors(const std::string& index_path) {
  return std::make_shared<Shards>(index_path);
}

}  // namespace geometry_transfer
