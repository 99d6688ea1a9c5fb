#include "cli/line_pusher.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "cli/cli.h"
#include "cli/json_text.h"
#include "cli/terminal.h"

namespace cli {
namespace {

// One batch is atomic, and within what the server takes at once.
constexpr size_t kBatchJobs = 1'000;
constexpr size_t kBatchBytes = size_t{4} << 20;
constexpr std::chrono::hours kRequestFor{1};
constexpr size_t kBarWidth = 24;

// Set by SIGINT and SIGTERM: the batch that is under way is finished and told of.
volatile std::sig_atomic_t wanted_end = 0;

void want_end(int) {
  wanted_end = 1;
}

class EndSignals {
 public:
  EndSignals() {
    struct sigaction action = {};
    action.sa_handler = want_end;  // No SA_RESTART: a read from a terminal ends as well.
    sigaction(SIGINT, &action, &interrupt_);
    sigaction(SIGTERM, &action, &terminate_);
  }
  ~EndSignals() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGTERM, &terminate_, nullptr);
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;

 private:
  struct sigaction interrupt_ = {};
  struct sigaction terminate_ = {};
};

}  // namespace

void print_pushed(const dray::Pushed& pushed, Form form) {
  if (!is_json(form)) {
    fmt::print("{}\n", pushed.id);
    return;
  }
  fmt::print("{{\"id\":\"{}\",\"created\":{}}}\n", pushed.id, pushed.created);
}

int LinePusher::run(const std::string& path) {
  is_live_ = isatty(STDERR_FILENO) == 1;
  const EndSignals signals;
  if (path == "-") return push_all(std::cin);
  std::ifstream file(path);
  if (!file) {
    print_error("dray: cannot open {}\n", printable(path));
    return kExitUsage;
  }
  std::error_code fault;
  const uintmax_t size = std::filesystem::file_size(path, fault);
  if (!fault) bytes_in_all_ = size;
  return push_all(file);
}

int LinePusher::push_all(std::istream& in) {
  std::string line;
  while (wanted_end == 0 && std::getline(in, line)) {
    ++line_number_;
    bytes_read_ += line.size() + 1;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (!take(line)) return stopped(line_number_, refusal_);
    if (batch_.size() < kBatchJobs && batch_bytes_ < kBatchBytes) continue;
    if (!push_batch()) return stopped(first_line_, refusal_);
  }
  if (wanted_end != 0) return stopped(batch_.empty() ? line_number_ + 1 : first_line_, "stopped");
  if (!push_batch()) return stopped(first_line_, refusal_);
  if (is_live_) print_error("\r\x1b[K");
  print_error("dray: {}\n", counts());
  return kExitOk;
}

bool LinePusher::take(std::string_view line) {
  base::Result<dray::NewJob> job = reader_.read(line);
  if (!job) {
    refusal_ = job.error().message;
    return false;
  }
  if (!options_.request.empty() && job->options.request.empty()) {
    job->options.request = fmt::format("{}:{}", options_.request, line_number_);
    job->options.request_for = options_.request_for.value_or(kRequestFor);
  }
  if (batch_.empty()) first_line_ = line_number_;
  batch_bytes_ += line.size();
  batch_.push_back(*std::move(job));
  return true;
}

bool LinePusher::push_batch() {
  if (batch_.empty()) return true;
  std::vector<dray::Pushed> answers;
  try {
    answers = client_.push_many(batch_);
  } catch (const dray::Error& error) {
    if (pushed_ == 0) throw;
    refusal_ = error.what();
    return false;
  }
  for (const dray::Pushed& answer : answers) {
    created_ += answer.created ? 1 : 0;
    if (options_.prints_ids) print_pushed(answer, options_.form);
  }
  pushed_ += answers.size();
  batch_.clear();
  batch_bytes_ = 0;
  if (is_live_) show_progress();
  return true;
}

std::string LinePusher::counts() const {
  // A request that the server knows again is answered as it was the first time, so nobody can tell
  // which of these were new.
  if (!options_.request.empty()) {
    return fmt::format("{} jobs are pushed, each of them once", pushed_);
  }
  return fmt::format("pushed {} jobs, {} of them new", pushed_, created_);
}

int LinePusher::stopped(size_t line, std::string_view why) const {
  const size_t first = batch_.empty() ? line : first_line_;
  if (is_live_) print_error("\r\x1b[K");
  print_error("dray: line {}: {}\n      {}, nothing from line {} on\n", line, printable(why),
              counts(), first);
  if (options_.request.empty()) {
    print_error(
        "      with --request NAME the same command could be given again, and push only "
        "what is missing\n");
  } else {
    print_error("      the same command given again pushes only what is missing\n");
  }
  return pushed_ > 0 || wanted_end != 0 ? kExitPartial : kExitUsage;
}

void LinePusher::show_progress() const {
  std::string bar;
  if (bytes_in_all_ > 0) {
    const double part =
        std::min(1.0, static_cast<double>(bytes_read_) / static_cast<double>(bytes_in_all_));
    const auto full = static_cast<size_t>(part * static_cast<double>(kBarWidth));
    bar = fmt::format("[{}{}] {:3.0f}%  ", std::string(full, '#'),
                      std::string(kBarWidth - full, '.'), part * 100);
  }
  print_error("\r\x1b[K{}{} jobs", bar, pushed_);
  std::fflush(stderr);
}

}  // namespace cli
