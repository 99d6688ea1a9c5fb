// Durations by powers of two of a microsecond. One writer, any number of readers.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>

namespace engine {

class Histogram {
 public:
  // Bucket i counts durations up to 2^i microseconds; the last one all beyond.
  static constexpr size_t kBuckets = 28;

  void add(std::chrono::nanoseconds duration) {
    const auto ns = static_cast<uint64_t>(duration.count() < 0 ? 0 : duration.count());
    const uint64_t us = ns / 1'000;
    const auto index = static_cast<size_t>(std::bit_width(us));
    bump(buckets_[index < kBuckets ? index : kBuckets - 1], 1);
    bump(sum_ns_, ns);
  }

  uint64_t bucket(size_t index) const { return buckets_[index].load(std::memory_order_relaxed); }
  uint64_t sum_ns() const { return sum_ns_.load(std::memory_order_relaxed); }
  // The upper end of a bucket, in seconds.
  static double bound_seconds(size_t index) {
    return static_cast<double>(uint64_t{1} << index) / 1e6;
  }

 private:
  // One writer: no locked instruction is needed.
  static void bump(std::atomic<uint64_t>& counter, uint64_t by) {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
  std::atomic<uint64_t> sum_ns_ = 0;
};

}  // namespace engine
