#include "bench/load/fill_workload.h"

#include <algorithm>
#include <charconv>

#include "bench/load/clock.h"

namespace load {
std::optional<int64_t> retry_ms_of(std::string_view error) {
  constexpr std::string_view kCode = "OVERLOADED ";
  constexpr std::string_view kField = "retry_ms=";
  if (!error.starts_with(kCode)) return std::nullopt;
  const size_t at = error.find(kField);
  if (at == std::string_view::npos) return std::nullopt;
  int64_t retry_ms = 0;
  const auto [stop, code] =
      std::from_chars(error.data() + at + kField.size(), error.data() + error.size(), retry_ms);
  if (code != std::errc() || retry_ms < 0) return std::nullopt;
  return retry_ms;
}

FillWorkload::FillWorkload(const FillOptions& options)
    : options_(options), producers_(options.channel_count) {}

void FillWorkload::begin(int64_t now_ns) {
  if (options_.ns_max != kNeverNs) end_ns_ = now_ns + options_.ns_max;
}

void FillWorkload::fill(Channel& channel, int64_t now_ns) {
  if (now_ns >= end_ns_) over_ = true;
  Producer& producer = producers_[channel.index()];
  if (over_ || !has_work() || now_ns < producer.resume_ns) return;
  if (producer.in_flight.empty()) {
    producer.reply_ns = now_ns;
    if (!producer.refused) producer.taken_ns = now_ns;
  }
  while (has_work() && producer.in_flight.size() < options_.depth) {
    uint64_t number = 0;
    if (again_.empty()) {
      number = next_++;
    } else {
      number = again_.front();
      again_.pop_front();
    }
    channel.push(number);
    producer.in_flight.push_back(number);
    ++in_flight_;
  }
}

// Returns the number of the push that the reply is for, and measures the gaps that end with it.
uint64_t FillWorkload::take_answered(Producer& producer, int64_t received_ns) {
  const uint64_t number = producer.in_flight.front();
  producer.in_flight.pop_front();
  --in_flight_;
  silence_ns_ = std::max(silence_ns_, received_ns - producer.reply_ns);
  stall_ns_ = std::max(stall_ns_, received_ns - producer.taken_ns);
  producer.reply_ns = received_ns;
  return number;
}

void FillWorkload::on_reply(Channel& channel, OpKind /*op*/, const Reply& /*reply*/,
                            int64_t received_ns) {
  Producer& producer = producers_[channel.index()];
  take_answered(producer, received_ns);
  producer.taken_ns = received_ns;
  producer.refused = false;
  ++pushed_;
}

bool FillWorkload::on_failure(Channel& channel, OpKind /*op*/, const Reply& reply,
                              int64_t received_ns) {
  const std::optional<int64_t> retry_ms = retry_ms_of(reply.error);
  if (!retry_ms) return false;
  Producer& producer = producers_[channel.index()];
  again_.push_back(take_answered(producer, received_ns));
  producer.refused = true;
  producer.resume_ns = std::max(producer.resume_ns, received_ns + *retry_ms * kNsPerMs);
  ++refusals_;
  return true;
}

int64_t FillWorkload::wake_ns() const {
  if (over_) return kNeverNs;
  int64_t wake_ns = end_ns_;
  if (!has_work()) return wake_ns;
  for (const Producer& producer : producers_) {
    // A time that is past was seen by `fill`; what the channel does now ends with a reply.
    const bool waits = producer.refused && producer.in_flight.empty();
    if (waits) wake_ns = std::min(wake_ns, producer.resume_ns);
  }
  return wake_ns;
}

bool FillWorkload::finished() const {
  return in_flight_ == 0 && (over_ || !has_work());
}

void FillWorkload::report(JsonLine& line) const {
  line.add("numbers", next_);
  line.add("refusals", refusals_);
  line.add("stall_max_ms", static_cast<double>(stall_ns_) / kNsPerMs);
  line.add("silence_max_ms", static_cast<double>(silence_ns_) / kNsPerMs);
}

}  // namespace load
