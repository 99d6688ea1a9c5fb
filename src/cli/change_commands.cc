// dray retry | cancel | delete <id>…, or --where 'QUERY'
#include <fmt/format.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/operation.h"
#include "cli/terminal.h"

namespace cli {
namespace {

// What the server takes in one command.
constexpr size_t kIdsMax = 10'000;

struct Verb {
  std::string name;
  std::string word;  // On the wire.
  std::string help;
  std::string example;
  bool has_force = false;
  // A second retry of a job that is finished again would start it twice.
  dray::Repeat repeat = dray::Repeat::kSafe;
};

class ChangeCommand final : public ServerCommand {
 public:
  ChangeCommand(CLI::App& app, Verb verb) : ServerCommand(app), verb_(std::move(verb)) {
    app.add_option("job", ids_, "ids, or key:<name>");
    add_where(app, where_);
    if (verb_.has_force) {
      app.add_flag("--force", force_, "end running ones at once, whatever their worker does");
    }
    add_output(app, form_);
    add_example(app, verb_.example,
                "With ids the exit status is 0 when all were changed, 4 when some were, 3 when "
                "there is no\nsuch job.");
  }

  int run() override {
    if (!has_target(verb_.name, !ids_.empty(), where_)) return kExitUsage;
    if (!where_.query.empty()) {
      std::vector<std::string> words = {verb_.word};
      if (force_) words.emplace_back("FORCE");
      return run_where(client(), std::move(words), where_, form_);
    }
    return change_ids();
  }

 private:
  int change_ids() {
    Listing listing("jobs", {{"job"}, {"outcome"}});
    size_t changed = 0;
    size_t missing = 0;
    for (size_t begin = 0; begin < ids_.size(); begin += kIdsMax) {
      const size_t count = std::min(kIdsMax, ids_.size() - begin);
      std::vector<std::string> words = {verb_.word};
      if (force_) words.emplace_back("FORCE");
      words.insert(words.end(), {"IDS", std::to_string(count)});
      const auto first = ids_.begin() + static_cast<std::ptrdiff_t>(begin);
      words.insert(words.end(), first, first + static_cast<std::ptrdiff_t>(count));
      const dray::Value answer = client().call(words, verb_.repeat);
      if (answer.items.size() != count) {
        throw dray::Error(dray::ErrorCode::kInternal, "the answer does not fit the ids");
      }
      for (size_t i = 0; i < count; ++i) {
        const dray::Value& outcome = answer.items[i];
        const bool is_error = outcome.kind == dray::Value::Kind::kError;
        changed += is_error ? 0 : 1;
        const bool is_missing =
            is_error && (outcome.text.starts_with("NOTFOUND") || outcome.text.starts_with("GONE"));
        missing += is_missing ? 1 : 0;
        add(listing, ids_[begin + i], is_error ? outcome.text : "ok", is_error);
      }
    }
    listing.print(form_);
    if (changed == ids_.size()) return kExitOk;
    if (changed > 0) return kExitPartial;
    return missing == ids_.size() ? kExitNotFound : kExitFailed;
  }

  static void add(Listing& listing, const std::string& id, const std::string& outcome,
                  bool is_error) {
    std::string json = "{\"id\":";
    append_json_text(id, json);
    json += is_error ? ",\"error\":" : ",\"outcome\":";
    append_json_text(outcome, json);
    json += '}';
    listing.add({{printable(id)}, {printable(outcome), is_error ? Colour::kRed : Colour::kGreen}},
                std::move(json));
  }

  Verb verb_;
  std::vector<std::string> ids_;
  Where where_;
  Form form_ = Form::kTable;
  bool force_ = false;
};

}  // namespace

void add_change_commands(CommandSet& commands, CLI::App& app) {
  const auto add = [&](Verb verb) {
    commands.add(app, verb.name, verb.help, [&](CLI::App& sub) {
      return std::make_unique<ChangeCommand>(sub, std::move(verb));
    });
  };
  add({.name = "retry",
       .word = "JOB.RETRY",
       .help = "start finished jobs again from their first attempt",
       .example = "dray retry --where 'state:dead queue:emails error:\"timed out\"' --dry-run",
       .repeat = dray::Repeat::kNever});
  add({.name = "cancel",
       .word = "JOB.CANCEL",
       .help = "cancel jobs; running ones are asked to stop",
       .example = "dray cancel 0000000000001 key:order:1001",
       .has_force = true});
  add({.name = "delete",
       .word = "JOB.DELETE",
       .help = "delete jobs and all that is known of them",
       .example = "dray delete --where 'state:succeeded age:>7d'"});
}

}  // namespace cli
