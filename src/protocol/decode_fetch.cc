// JOB.FETCH.
#include <array>

#include "core/limits.h"
#include "protocol/decode_families.h"
#include "protocol/option_reader.h"

namespace protocol {
namespace {

enum class FetchOption : uint8_t {
  kCount,
  kBlock,
  kHolding,
  kTypes,
  kStrict,
  kWeights,
  kQueues,
};
constexpr std::array<std::string_view, 7> kFetchOptions = {"COUNT",  "BLOCK",   "HOLDING", "TYPES",
                                                           "STRICT", "WEIGHTS", "QUEUES"};
static_assert(kFetchOptions.size() == static_cast<size_t>(FetchOption::kQueues) + 1);

base::Status read_fetch_names(Words& words, FetchOption option,
                              std::vector<std::string_view>& names) {
  const size_t most =
      option == FetchOption::kQueues ? core::limits::kFetchQueuesMax : core::limits::kFetchTypesMax;
  const std::string_view field = kFetchOptions[static_cast<size_t>(option)];
  const size_t count = TRY(words.count(field, {.most = most}));
  names.reserve(count);
  for (size_t i = 0; i < count; ++i) names.push_back(words.take());
  return {};
}

base::Status read_weights(Words& words, core::Fetch& fetch) {
  const size_t count = TRY(words.count("WEIGHTS", {.most = core::limits::kFetchQueuesMax}));
  fetch.weighted = true;
  fetch.weights.reserve(count);
  for (size_t i = 0; i < count; ++i) fetch.weights.push_back(TRY(words.integer("WEIGHTS")));
  return {};
}

base::Status read_fetch_option(FetchOption option, Words& words, core::Fetch& fetch) {
  switch (option) {
    case FetchOption::kCount:
      fetch.count = TRY(words.integer("COUNT"));
      return {};
    case FetchOption::kBlock:
      fetch.block_ms = TRY(words.integer("BLOCK"));
      return {};
    case FetchOption::kHolding:
      fetch.holding = TRY(words.integer("HOLDING"));
      return {};
    case FetchOption::kTypes:
      return read_fetch_names(words, option, fetch.types);
    case FetchOption::kStrict:
      return {};  // What there is without it.
    case FetchOption::kWeights:
      return read_weights(words, fetch);
    case FetchOption::kQueues:
      return read_fetch_names(words, option, fetch.queues);
  }
  return {};
}

}  // namespace

base::Status read_fetch(Words& words, core::Fetch& fetch) {
  fetch.worker = words.take();
  OptionReader options(kFetchOptions);
  while (!words.empty()) {
    const auto option = static_cast<FetchOption>(TRY(options.next(words)));
    TRY(read_fetch_option(option, words, fetch));
  }
  TRY(options.require(FetchOption::kQueues));
  TRY(options.exclude(FetchOption::kStrict, FetchOption::kWeights));
  if (fetch.weighted && fetch.weights.size() != fetch.queues.size()) {
    return bad_field("WEIGHTS", "must be one for each queue: {} weights, {} queues",
                     fetch.weights.size(), fetch.queues.size());
  }
  return {};
}

}  // namespace protocol
