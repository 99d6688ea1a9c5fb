#include "cli/snapshot.h"

#include <charconv>

#include "cli/queue_listing.h"
#include "cli/worker_listing.h"

namespace cli {

Info parse_info(std::string_view text) {
  Info info;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const size_t colon = line.find(':');
    if (line.starts_with('#') || colon == std::string_view::npos) continue;
    info.emplace(line.substr(0, colon), line.substr(colon + 1));
  }
  return info;
}

int64_t number_of(const Info& info, std::string_view name, int64_t otherwise) {
  const auto found = info.find(name);
  if (found == info.end()) return otherwise;
  int64_t number = 0;
  const char* const end = found->second.data() + found->second.size();
  const auto [last, fault] = std::from_chars(found->second.data(), end, number);
  return fault == std::errc{} && last == end ? number : otherwise;
}

std::string text_of(const Info& info, std::string_view name) {
  const auto found = info.find(name);
  return found == info.end() ? std::string() : found->second;
}

Snapshot take_snapshot(dray::Client& client, const base::Clock& clock) {
  Snapshot made;
  made.info = parse_info(client.call({"INFO"}, dray::Repeat::kSafe).text);
  made.queues = stats_of(client, {});
  made.at = clock.mono();
  try {
    made.workers = workers_of(client);
  } catch (const dray::Error& error) {
    if (error.code() != dray::ErrorCode::kNotYet) throw;
  }
  return made;
}

}  // namespace cli
