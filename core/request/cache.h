// SPDX-License-Identifier: GPL-3.0-or-later
/// Values that are made once and kept for the next use, as far as a bound of memory allows.
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

/// Values by name. Threads that ask for the same one at the same time wait until one of them has made it.
template <class Value>
class Cache {
 public:
  /// `limit`: bytes of what is kept when nothing uses it.
  explicit Cache(std::uint64_t limit) : limit_(limit) {}

  /// Gives the value of this name, which `make` makes if there is none.
  ///   bytes   the size of a value. It is asked at each use, because a value may grow.
  /// If `make` throws, all who wait for the value get the exception, and nothing is kept.
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

  /// Bytes of what is kept.
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
  /// Notes a value's size, and forgets what was used least lately while there is too much.
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
