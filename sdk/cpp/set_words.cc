#include "sdk/cpp/set_words.h"

namespace dray::detail {

std::vector<std::string> set_words(std::string_view name, std::string_view value,
                                   const SetOptions& options) {
  std::vector<std::string> words = {"SET", std::string(name), std::string(value)};
  if (options.ttl) {
    words.insert(words.end(), {"PX", std::to_string(options.ttl->count())});
  }
  if (options.until) {
    words.insert(words.end(), {"PXAT", std::to_string(options.until->time_since_epoch().count())});
  }
  if (options.when == SetOptions::When::kIfAbsent) words.emplace_back("NX");
  if (options.when == SetOptions::When::kIfPresent) words.emplace_back("XX");
  return words;
}

bool may_be_repeated(const SetOptions& options) {
  return options.when == SetOptions::When::kAlways;
}

}  // namespace dray::detail
