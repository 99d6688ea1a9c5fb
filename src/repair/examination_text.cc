#include "repair/examination_text.h"

#include <fmt/format.h>

#include "cli/json_text.h"
#include "cli/terminal.h"

namespace repair {
namespace {

constexpr auto kStates = std::to_array<core::JobState>(
    {core::JobState::kReady, core::JobState::kScheduled, core::JobState::kRunning,
     core::JobState::kWaiting, core::JobState::kSucceeded, core::JobState::kDead,
     core::JobState::kCancelled, core::JobState::kExpired});

uint64_t count_of(const core::Queue& queue, core::JobState state) {
  return queue.jobs.at(static_cast<size_t>(state));
}

std::string queues_table(const core::State& state) {
  if (state.queues().empty()) return {};
  std::vector<std::string> header{"queue"};
  for (const core::JobState kind : kStates) header.emplace_back(core::job_state_name(kind));
  header.emplace_back();
  cli::Table table(header);
  for (const auto& queue : state.queues()) {
    std::vector<std::string> cells{cli::printable(queue->name)};
    for (const core::JobState kind : kStates) {
      cells.push_back(std::to_string(count_of(*queue, kind)));
    }
    cells.emplace_back(queue->paused ? "paused" : "");
    table.add(cells);
  }
  return table.text(cli::stdout_is_coloured());
}

void append_queues(const core::State& state, std::string& json) {
  json += ",\"queues\":[";
  for (const auto& queue : state.queues()) {
    if (json.back() != '[') json += ',';
    json += "{\"queue\":";
    cli::append_json_text(queue->name, json);
    for (const core::JobState kind : kStates) {
      json += fmt::format(",\"{}\":{}", core::job_state_name(kind), count_of(*queue, kind));
    }
    json += fmt::format(",\"paused\":{}}}", queue->paused);
  }
  json += ']';
}

void append_flaws(const Examination& found, std::string& json) {
  json += ",\"set_aside\":[";
  for (const SetAside& job : found.set_aside) {
    if (json.back() != '[') json += ',';
    json += fmt::format("{{\"id\":\"{}\",\"damage\":", core::job_id_text(job.id));
    cli::append_json_text(job.error.message, json);
    json += '}';
  }
  json += "],\"flaws\":[";
  for (const std::string& flaw : found.flaws) {
    if (json.back() != '[') json += ',';
    cli::append_json_text(flaw, json);
  }
  json += ']';
}

}  // namespace

std::string text_of(const Examination& found) {
  std::string text;
  for (const FileReport& file : found.files) {
    text += fmt::format("{}  {}: {}\n", file.is_sound ? "ok " : "BAD", cli::printable(file.name),
                        file.text);
  }
  text += queues_table(found.state());
  text += fmt::format("{} jobs", found.state().jobs().size());
  if (found.damage) {
    return text +
           fmt::format(" up to the damage\nDAMAGED: {}\n", cli::printable(found.damage->message));
  }
  text += fmt::format(", up to frame {}, the tables up to frame {}; digest {:016x}\n",
                      found.last_seq, found.tables.applied_seq, found.digest);
  if (found.torn_bytes > 0) {
    text += fmt::format("a last frame of {} bytes was never acknowledged, and is left out\n",
                        found.torn_bytes);
  }
  for (const SetAside& job : found.set_aside) {
    text += fmt::format("DAMAGED: {}\n", cli::printable(job.error.message));
  }
  for (const std::string& flaw : found.flaws) {
    text += fmt::format("DAMAGED: {}\n", cli::printable(flaw));
  }
  if (found.is_good())
    return text + "good: a server starts on this with all that it had promised\n";
  return text + fmt::format("a server starts on this; for {} jobs it answers CORRUPT\n",
                            found.set_aside.size());
}

std::string json_of(const Examination& found) {
  const char* verdict = found.damage ? "damaged" : found.is_good() ? "good" : "rows damaged";
  std::string json = fmt::format("{{\"verdict\":\"{}\"", verdict);
  if (found.damage) {
    json += ",\"damage\":";
    cli::append_json_text(found.damage->message, json);
  } else {
    json +=
        fmt::format(",\"last_seq\":{},\"torn_bytes\":{},\"applied_seq\":{},\"digest\":\"{:016x}\"",
                    found.last_seq, found.torn_bytes, found.tables.applied_seq, found.digest);
    append_flaws(found, json);
  }
  json += fmt::format(",\"jobs\":{}", found.state().jobs().size());
  append_queues(found.state(), json);
  json += ",\"files\":[";
  for (const FileReport& file : found.files) {
    if (json.back() != '[') json += ',';
    json += "{\"name\":";
    cli::append_json_text(file.name, json);
    json += fmt::format(",\"sound\":{},\"found\":", file.is_sound);
    cli::append_json_text(file.text, json);
    json += '}';
  }
  return json + "]}\n";
}

}  // namespace repair
