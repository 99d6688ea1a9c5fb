// WORKER.*, QUEUE.* and TYPE.*.
#include <array>

#include "core/limits.h"
#include "protocol/decode_families.h"
#include "protocol/option_reader.h"

namespace protocol {
namespace {

enum class BeatOption : uint8_t { kLeases, kInfo };
constexpr std::array<std::string_view, 2> kBeatOptions = {"LEASES", "INFO"};
constexpr std::array<std::string_view, 1> kReason = {"REASON"};
enum class PauseOption : uint8_t { kQueue, kReason };
constexpr std::array<std::string_view, 2> kPauseOptions = {"QUEUE", "REASON"};

// id, token.
constexpr size_t kLeaseWords = 2;

base::Status read_leases(Words& words, std::vector<core::LeaseRef>& leases) {
  const size_t count = TRY(words.count(
      "LEASES", {.words_each = kLeaseWords, .least = 0, .most = core::limits::kBatchItemsMax}));
  leases.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    core::LeaseRef& lease = leases.emplace_back();
    lease.job = TRY(parse_job(words.take()));
    lease.token = parse_token(words.take());
  }
  return {};
}

// An empty one would stand for all.
base::Result<std::string_view> read_queue(Words& words) {
  const std::string_view queue = TRY(words.value("QUEUE"));
  if (queue.empty()) return bad_field("QUEUE", "must not be empty: leave it out for all queues");
  return queue;
}

}  // namespace

base::Status read_beat(Words& words, core::WorkerBeat& beat) {
  beat.worker = words.take();
  OptionReader options(kBeatOptions);
  while (!words.empty()) {
    const auto option = static_cast<BeatOption>(TRY(options.next(words)));
    if (option == BeatOption::kLeases) TRY(read_leases(words, beat.leases));
    if (option == BeatOption::kInfo) beat.info = TRY(words.value("INFO"));
  }
  return options.require(BeatOption::kLeases);
}

base::Status read_bye(Words& words, core::WorkerBye& bye) {
  bye.worker = words.take();
  OptionReader options(OptionNames(kBeatOptions).first(1));
  while (!words.empty()) {
    TRY(options.next(words));
    TRY(read_leases(words, bye.leases));
  }
  return options.require(BeatOption::kLeases);
}

base::Status read_queue_pause(Words& words, core::QueuePause& pause) {
  pause.queue = words.take();
  OptionReader options(kReason);
  while (!words.empty()) {
    TRY(options.next(words));
    pause.reason = TRY(words.value("REASON"));
  }
  return {};
}

base::Status read_type_pause(Words& words, core::TypePause& pause) {
  pause.type = words.take();
  OptionReader options(kPauseOptions);
  while (!words.empty()) {
    const auto option = static_cast<PauseOption>(TRY(options.next(words)));
    if (option == PauseOption::kQueue) pause.queue = TRY(read_queue(words));
    if (option == PauseOption::kReason) pause.reason = TRY(words.value("REASON"));
  }
  return {};
}

base::Status read_type_resume(Words& words, core::TypeResume& resume) {
  resume.type = words.take();
  OptionReader options(OptionNames(kPauseOptions).first(1));
  while (!words.empty()) {
    TRY(options.next(words));
    resume.queue = TRY(read_queue(words));
  }
  return {};
}

}  // namespace protocol
