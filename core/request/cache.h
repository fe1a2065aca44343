// SPDX-License-Identifier: GPL-3.0-or-later
/// Keeps values for the next use, up to a limit of memory.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace geometry_transfer {

/// Values by name. If several threads ask for the same missing value, one makes it and the others wait.
template <class Value>
class Cache {
 public:
  /// `limit`: bytes of the values that are kept while nothing uses them.
  explicit Cache(std::uint64_t limit) : limit_(limit) {}

  /// Returns the value of this name. Calls `make` if there is none.
  ///   bytes   returns a value's size. It is called at each use, because a value may grow.
  /// If `make` throws, all waiting threads get the exception, and nothing is kept.
  std::shared_ptr<const Value> get(const std::string& name, const std::function<std::shared_ptr<const Value>()>& make,
                                   const std::function<std::uint64_t(const Value&)>& bytes) {
    std::promise<std::shared_ptr<const Value>> promise;
    std::shared_future<std::shared_ptr<const Value>> future;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (const auto at = entries_.find(name); at != entries_.end()) {
        order_.splice(order_.begin(), order_, at->second.place);
        future = at->second.value;
      } else {
        order_.push_front(name);
        entries_[name] = {promise.get_future().share(), 0, order_.begin()};
      }
    }
    if (future.valid()) {
      std::shared_ptr<const Value> value = future.get();
      weigh(name, bytes(*value));
      return value;
    }
    try {
      std::shared_ptr<const Value> value = make();
      promise.set_value(value);
      weigh(name, bytes(*value));
      return value;
    } catch (...) {
      promise.set_exception(std::current_exception());
      const std::lock_guard<std::mutex> lock(mutex_);
      forget(name);
      throw;
    }
  }

  /// Returns the bytes of all kept values.
  std::uint64_t used() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return used_;
  }

 private:
  struct Entry {
    std::shared_future<std::shared_ptr<const Value>> value;
    std::uint64_t bytes = 0;
    std::list<std::string>::iterator place;
  };
  /// Notes a value's size. Drops the least recently used values while the limit is exceeded.
  void weigh(const std::string& name, std::uint64_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto at = entries_.find(name); at != entries_.end()) {
      used_ += bytes - at->second.bytes;
      at->second.bytes = bytes;
    }
    while (used_ > limit_ && order_.size() > 1) forget(order_.back());
  }
  void forget(const std::string name) {  // a copy: what names it goes
    const auto at = entries_.find(name);
    if (at == entries_.end()) return;
    used_ -= at->second.bytes;
    order_.erase(at->second.place);
    entries_.erase(at);
  }

  const std::uint64_t limit_;
  std::uint64_t used_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::list<std::string> order_;  // the last used first
};

}  // namespace geometry_transfer
