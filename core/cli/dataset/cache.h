// SPDX-License-Identifier: GPL-3.0-or-later
/// What was read stays for the next picture that needs it, as far as a bound of memory allows.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace geometry_transfer::cli {

/// Values by name. Threads that ask for the same one at the same time wait for one making.
template <class Value>
class Cache {
 public:
  /// `limit`: bytes of what is kept when nothing uses it.
  explicit Cache(std::uint64_t limit) : limit_(limit) {}

  /// `make` gives a shared_ptr<const Value>, `bytes` its size. What `make` throws, all who wait for it get; nothing is kept then.
  std::shared_ptr<const Value> get(const std::string& name, const std::function<std::shared_ptr<const Value>()>& make,
                                   const std::function<std::uint64_t(const Value&)>& bytes) {
    std::promise<std::shared_ptr<const Value>> promise;
    std::shared_future<std::shared_ptr<const Value>> made;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (const auto at = entries_.find(name); at != entries_.end()) {
        order_.splice(order_.begin(), order_, at->second.place);
        made = at->second.value;
      } else {
        order_.push_front(name);
        entries_[name] = {promise.get_future().share(), 0, order_.begin()};
      }
    }
    if (made.valid()) return made.get();
    try {
      std::shared_ptr<const Value> value = make();
      promise.set_value(value);
      const std::lock_guard<std::mutex> lock(mutex_);
      if (const auto at = entries_.find(name); at != entries_.end()) used_ += at->second.bytes = bytes(*value);
      while (used_ > limit_ && order_.size() > 1) forget(order_.back());
      return value;
    } catch (...) {
      promise.set_exception(std::current_exception());
      const std::lock_guard<std::mutex> lock(mutex_);
      forget(name);
      throw;
    }
  }

 private:
  struct Entry {
    std::shared_future<std::shared_ptr<const Value>> value;
    std::uint64_t bytes = 0;
    std::list<std::string>::iterator place;
  };
  void forget(const std::string name) {  // a copy: what names it goes
    const auto at = entries_.find(name);
    if (at == entries_.end()) return;
    used_ -= at->second.bytes;
    order_.erase(at->second.place);
    entries_.erase(at);
  }

  const std::uint64_t limit_;
  std::uint64_t used_ = 0;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::list<std::string> order_;  // the last used first
};

}  // namespace geometry_transfer::cli
