// dray doctor
#include <fmt/format.h>

#include <cstdio>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/diagnosis.h"
#include "cli/json_text.h"
#include "cli/terminal.h"

namespace cli {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;

class DoctorCommand final : public ServerCommand {
 public:
  DoctorCommand(CLI::App& app, std::string version)
      : ServerCommand(app), version_(std::move(version)) {
    add_output(app, form_);
    add_example(app, "dray doctor",
                "Looks at versions, clocks, access, disk, syncs, open files, paused queues, "
                "queues without a\nworker and lost leases. Exit status 1: something is wrong.");
  }

  int run() override {
    Listing listing("findings", {{""}, {"about"}, {"what"}});
    std::string remedies;
    for (const Finding& finding : diagnose(facts())) {
      const bool is_bad = finding.verdict == Verdict::kBad;
      const char* word = is_bad ? "bad" : finding.verdict == Verdict::kGood ? "ok" : "?";
      const Colour colour = is_bad                              ? Colour::kRed
                            : finding.verdict == Verdict::kGood ? Colour::kGreen
                                                                : Colour::kDim;
      listing.add({{word, colour}, {finding.subject}, {finding.what}}, json_of(finding, word));
      if (is_bad) remedies += fmt::format("\n{}: {}\n", finding.subject, finding.remedy);
    }
    // What to do is never cut.
    fmt::print("{}", listing.text(form_, stdout_is_coloured(), 0));
    if (!is_json(form_)) fmt::print("{}", remedies);
    return remedies.empty() ? kExitOk : kExitFailed;
  }

 private:
  Facts facts() {
    Facts facts;
    facts.own_version = version_;
    facts.server = take_snapshot(client(), clock_);
    const base::MonoTime before = clock_.mono();
    const dray::Value time = client().call({"TIME"}, dray::Repeat::kSafe);
    facts.round_trip_ms = (clock_.mono() - before).count() / kNsPerMs;
    if (time.items.size() == 2) {
      const int64_t there_ms = std::atoll(time.items[0].text.c_str()) * 1'000 +
                               std::atoll(time.items[1].text.c_str()) / 1'000;
      facts.skew_ms = there_ms - (clock_.wall().ms - facts.round_trip_ms / 2);
    }
    return facts;
  }

  static std::string json_of(const Finding& finding, const char* word) {
    std::string json = fmt::format("{{\"verdict\":\"{}\",\"about\":", word);
    append_json_text(finding.subject, json);
    json += ",\"what\":";
    append_json_text(finding.what, json);
    if (!finding.remedy.empty()) {
      json += ",\"remedy\":";
      append_json_text(finding.remedy, json);
    }
    return json + "}";
  }

  std::string version_;
  base::SystemClock clock_;
  Form form_ = Form::kTable;
};

}  // namespace

std::unique_ptr<Command> make_doctor(CLI::App& app, const std::string& version) {
  return std::make_unique<DoctorCommand>(app, version);
}

}  // namespace cli
