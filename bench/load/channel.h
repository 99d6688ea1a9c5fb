// One connection without its socket: requests go into an output buffer, bytes that came are cut
// into replies, and each reply is matched with the request it answers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/driver.h"

namespace load {

// Threading: the loop's thread only.
class Channel {
 public:
  // `driver` must outlive the channel.
  Channel(uint32_t index, Driver& driver);

  uint32_t index() const { return index_; }
  // Returns the number of requests without a reply.
  size_t in_flight() const { return ops_.size(); }
  // Returns how many of them are fetches.
  uint32_t fetches_in_flight() const { return fetches_in_flight_; }

  void push(uint64_t mark);
  void push_delayed(uint64_t mark, int64_t delay_ms);
  void fetch();
  void ack(const Lease& lease);

  // Returns room for bytes to come; invalidates what earlier replies point to.
  std::span<char> input_space();
  void input_filled(size_t bytes) { input_end_ += bytes; }
  // Cuts off the next whole reply, valid until `input_space`. Returns false when there is none.
  // Throws ProtocolError for malformed bytes and for a reply that nobody asked for.
  bool take(OpKind& op, Reply& reply);

  std::string_view output() const;
  void output_sent(size_t bytes);

 private:
  const uint32_t index_;
  Driver& driver_;
  std::deque<OpKind> ops_;
  uint32_t fetches_in_flight_ = 0;
  std::vector<char> input_;
  size_t input_begin_ = 0;
  size_t input_end_ = 0;
  std::string output_;
  size_t output_begin_ = 0;
};

}  // namespace load
