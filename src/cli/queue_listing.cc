#include "cli/queue_listing.h"

#include "cli/json_text.h"
#include "config/duration.h"

namespace cli {

const char* const kNoQueueYet =
    "no queue yet; the first push makes one:\n"
    "  dray push emails send_email '{\"to\": \"ann@example.com\"}'\n";

std::vector<dray::QueueStats> stats_of(dray::Client& client,
                                       const std::vector<std::string>& names) {
  std::vector<dray::QueueStats> queues;
  for (const std::string& name : names.empty() ? client.queues() : names) {
    queues.push_back(client.stats(name));
  }
  return queues;
}

Listing queue_listing(const std::vector<dray::QueueStats>& queues) {
  Listing listing("queues", {{"queue"},
                             {"ready"},
                             {"scheduled"},
                             {"running"},
                             {"waiting"},
                             {"succeeded"},
                             {"dead"},
                             {"oldest"},
                             {"pushed", true},
                             {"started", true},
                             {"failed", true},
                             {"lost", true},
                             {""}});
  for (const dray::QueueStats& queue : queues) {
    std::string json = "{\"queue\":";
    append_json_text(queue.queue, json);
    // The answer's own fields, all of them, behind the name.
    const std::string fields = json_of(queue.raw);
    json += fields.size() > 2 ? "," + fields.substr(1) : "}";
    std::string pause = queue.paused ? "paused" : "";
    const std::string reason = queue.raw.text_of("pause_reason");
    if (queue.paused && !reason.empty()) pause += ": " + printable(reason);
    const auto number = [](int64_t value, Colour colour = Colour::kNone) {
      return Cell{std::to_string(value), value > 0 ? colour : Colour::kNone};
    };
    listing.add({{queue.queue},
                 number(queue.ready),
                 number(queue.scheduled),
                 number(queue.running, Colour::kCyan),
                 number(queue.waiting),
                 number(queue.succeeded, Colour::kGreen),
                 number(queue.dead, Colour::kRed),
                 {queue.ready > 0 ? config::duration_text(queue.oldest) : "-"},
                 number(queue.pushed),
                 number(queue.started),
                 number(queue.failed),
                 number(queue.raw.integer_of("lost")),
                 {pause, Colour::kYellow}},
                std::move(json));
  }
  return listing;
}

}  // namespace cli
