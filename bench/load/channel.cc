#include "bench/load/channel.h"

#include <cstring>

namespace load {
namespace {

constexpr size_t kInputBytesInitial = size_t{64} << 10;
constexpr size_t kReadBytesMin = size_t{16} << 10;
// A reply that does not fit here is a stream out of step.
constexpr size_t kInputBytesMax = size_t{64} << 20;

}  // namespace

Channel::Channel(uint32_t index, Driver& driver)
    : index_(index), driver_(driver), input_(kInputBytesInitial) {}

void Channel::push(uint64_t mark) {
  driver_.push(mark, output_);
  ops_.push_back(OpKind::kPush);
}

void Channel::push_delayed(uint64_t mark, int64_t delay_ms) {
  driver_.push_delayed(mark, delay_ms, output_);
  ops_.push_back(OpKind::kPush);
}

void Channel::fetch() {
  driver_.fetch(index_, output_);
  ops_.push_back(OpKind::kFetch);
  ++fetches_in_flight_;
}

void Channel::ack(const Lease& lease) {
  driver_.ack(index_, lease, output_);
  ops_.push_back(OpKind::kAck);
}

std::span<char> Channel::input_space() {
  const size_t left = input_end_ - input_begin_;
  if (input_begin_ > 0) {
    std::memmove(input_.data(), input_.data() + input_begin_, left);
    input_begin_ = 0;
    input_end_ = left;
  }
  if (input_.size() - input_end_ < kReadBytesMin) {
    if (input_.size() >= kInputBytesMax) throw ProtocolError("a reply larger than any expected");
    input_.resize(input_.size() * 2);
  }
  return std::span<char>(input_).subspan(input_end_);
}

bool Channel::take(OpKind& op, Reply& reply) {
  if (input_begin_ == input_end_) return false;
  if (ops_.empty()) throw ProtocolError("a reply that nobody asked for");
  op = ops_.front();
  const std::string_view input(input_.data() + input_begin_, input_end_ - input_begin_);
  const size_t bytes = driver_.take(op, input, reply);
  if (bytes == 0) return false;
  input_begin_ += bytes;
  ops_.pop_front();
  if (op == OpKind::kFetch) --fetches_in_flight_;
  return true;
}

std::string_view Channel::output() const {
  return std::string_view(output_).substr(output_begin_);
}

void Channel::output_sent(size_t bytes) {
  output_begin_ += bytes;
  if (output_begin_ < output_.size()) return;
  output_.clear();
  output_begin_ = 0;
}

}  // namespace load
