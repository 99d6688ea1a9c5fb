#include "cli/top_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/worker_listing.h"
#include "config/duration.h"

namespace cli {
namespace {

constexpr double kNsPerSecond = 1e9;

const dray::QueueStats* find(const Snapshot& snapshot, const std::string& queue) {
  const auto found =
      std::ranges::find_if(snapshot.queues, [&](const auto& one) { return one.queue == queue; });
  return found == snapshot.queues.end() ? nullptr : &*found;
}

// How fast counters grew between two snapshots.
class Rates {
 public:
  Rates(const Snapshot& now, const Snapshot* before) : before_(before) {
    if (before != nullptr) {
      seconds_ = static_cast<double>((now.at - before->at).count()) / kNsPerSecond;
    }
  }

  template <typename Count>  // count(const QueueStats&) -> int64_t
  std::string of(const dray::QueueStats& queue, Count count) const {
    if (before_ == nullptr || seconds_ <= 0) return "-";
    const dray::QueueStats* earlier = find(*before_, queue.queue);
    return text(count(queue) - (earlier == nullptr ? 0 : count(*earlier)));
  }
  std::string text(int64_t growth) const {
    if (before_ == nullptr || seconds_ <= 0) return "-";
    const double rate = static_cast<double>(std::max<int64_t>(0, growth)) / seconds_;
    return rate > 0 && rate < 10 ? fmt::format("{:.1f}", rate) : fmt::format("{:.0f}", rate);
  }

 private:
  const Snapshot* before_;
  double seconds_ = 0;
};

int64_t pushed_of(const dray::QueueStats& queue) {
  return queue.pushed;
}
int64_t succeeded_of(const dray::QueueStats& queue) {
  return queue.succeeded;
}
int64_t failed_of(const dray::QueueStats& queue) {
  return queue.failed;
}

template <typename Count>
int64_t sum(const Snapshot& snapshot, Count count) {
  int64_t total = 0;
  for (const dray::QueueStats& queue : snapshot.queues) total += count(queue);
  return total;
}

// Sizes for a glance: two digits at least, no more than one behind the point.
std::string rough_size(int64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes);
  size_t unit = 0;
  while (amount >= 1'024 && unit + 1 < kUnits.size()) {
    amount /= 1'024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", amount, amount < 10 && unit > 0 ? 1 : 0, kUnits[unit]);
}

std::string head(const Snapshot& now, const TopView& view) {
  const Info& info = now.info;
  const auto uptime = std::chrono::seconds(number_of(info, "uptime_in_seconds"));
  return fmt::format("dray {}  {}  up {}  connections {}  journal {} of {}\n",
                     printable(text_of(info, "dray_version")), printable(view.server),
                     config::duration_text(uptime), number_of(info, "connected_clients"),
                     rough_size(number_of(info, "journal_bytes")),
                     rough_size(number_of(info, "journal_budget")));
}

std::string totals(const Snapshot& now, const Snapshot* before, bool coloured) {
  const Rates rates(now, before);
  const auto grown = [&](auto count) {
    return rates.text(before == nullptr ? 0 : sum(now, count) - sum(*before, count));
  };
  const int64_t dead = sum(now, [](const auto& queue) { return queue.dead; });
  return fmt::format(
      "jobs {}  ready {}  running {}  scheduled {}  dead {}  in {}/s  done {}/s  failed {}/s\n",
      number_of(now.info, "jobs"), sum(now, [](const auto& queue) { return queue.ready; }),
      painted(std::to_string(sum(now, [](const auto& queue) { return queue.running; })),
              Colour::kCyan, coloured),
      sum(now, [](const auto& queue) { return queue.scheduled; }),
      painted(std::to_string(dead), dead > 0 ? Colour::kRed : Colour::kNone, coloured),
      grown(pushed_of), grown(succeeded_of), grown(failed_of));
}

// The queues that there is room for, in the order of their names.
std::vector<dray::QueueStats> shown_queues(const Snapshot& now, const TopView& view) {
  // Above and below the queues, with a few workers.
  constexpr size_t kOtherLines = 10;
  constexpr size_t kQueuesMin = 3;
  std::vector<dray::QueueStats> queues = now.queues;
  const size_t room = std::max(kQueuesMin, view.lines > kOtherLines ? view.lines - kOtherLines : 0);
  if (view.lines == 0 || queues.size() <= room) return queues;
  const auto fullness = [](const dray::QueueStats& queue) {
    return queue.running + queue.ready + queue.scheduled + queue.dead;
  };
  std::ranges::stable_sort(queues, std::ranges::greater(), fullness);
  queues.resize(room);
  std::ranges::sort(queues, {}, &dray::QueueStats::queue);
  return queues;
}

std::string queues_text(const Snapshot& now, const Snapshot* before, const TopView& view) {
  if (now.queues.empty()) return "no queue yet\n";
  const std::vector<dray::QueueStats> shown = shown_queues(now, view);
  const Rates rates(now, before);
  Table table({"queue", "ready", "running", "scheduled", "dead", "oldest", "in/s", "done/s",
               "failed/s", ""});
  for (const dray::QueueStats& queue : shown) {
    table.add(
        {queue.queue, std::to_string(queue.ready), std::to_string(queue.running),
         std::to_string(queue.scheduled), std::to_string(queue.dead),
         queue.ready > 0 ? config::duration_text(queue.oldest) : "-", rates.of(queue, pushed_of),
         rates.of(queue, succeeded_of), rates.of(queue, failed_of), queue.paused ? "paused" : ""},
        {Colour::kNone, Colour::kNone, queue.running > 0 ? Colour::kCyan : Colour::kNone,
         Colour::kNone, queue.dead > 0 ? Colour::kRed : Colour::kNone, Colour::kNone, Colour::kNone,
         Colour::kNone, Colour::kNone, Colour::kYellow});
  }
  const size_t left_out = now.queues.size() - shown.size();
  return table.text(view.coloured) +
         (left_out == 0 ? std::string() : fmt::format("{} queues with less in them\n", left_out));
}

std::string workers_text(const Snapshot& now, const TopView& view) {
  if (!now.workers) return "workers: this server does not tell of them\n";
  if (now.workers->empty()) return painted("no worker is there\n", Colour::kYellow, view.coloured);
  return worker_listing(*now.workers).text(Form::kTable, view.coloured, view.columns);
}

}  // namespace

std::string top_frame(const Snapshot& now, const Snapshot* before, const TopView& view) {
  return head(now, view) + totals(now, before, view.coloured) + "\n" +
         queues_text(now, before, view) + "\n" + workers_text(now, view);
}

}  // namespace cli
