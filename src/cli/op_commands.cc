// dray op ls | show | cancel | wait
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/operation.h"
#include "cli/terminal.h"

namespace cli {
namespace {

class OpListCommand final : public ServerCommand {
 public:
  explicit OpListCommand(CLI::App& app) : ServerCommand(app) {
    add_output(app, form_);
    add_example(app, "dray op ls");
  }

  int run() override {
    const dray::Value answer = client().call({"OP.LIST"}, dray::Repeat::kSafe);
    const Listing listing =
        listing_of("operations", answer.items,
                   {"op", "state", "verb", "matched", "done", "skipped", "queue", "query"});
    if (listing.empty() && !is_json(form_)) {
      fmt::print("no operation; a command with --where begins one\n");
      return kExitOk;
    }
    listing.print(form_);
    return kExitOk;
  }

 private:
  Form form_ = Form::kTable;
};

// show, cancel and wait: all about one operation.
class OpCommand final : public ServerCommand {
 public:
  enum class What : uint8_t { kShow, kCancel, kWait };

  OpCommand(CLI::App& app, What what) : ServerCommand(app), what_(what) {
    app.add_option("op", op_, "the operation's name, as `dray op ls` shows it")->required();
    add_output(app, form_);
    add_example(app, fmt::format("dray op {} op-1", app.get_name()));
  }

  int run() override {
    if (what_ == What::kWait) return follow_operation(client(), op_, form_);
    if (what_ == What::kCancel) {
      client().call({"OP.CANCEL", op_}, dray::Repeat::kSafe);
      if (!is_json(form_)) fmt::print("operation {} is cancelled\n", printable(op_));
      if (!is_json(form_)) return kExitOk;
    }
    const dray::Value operation = client().call({"OP.GET", op_}, dray::Repeat::kSafe);
    if (operation.kind == dray::Value::Kind::kNil) {
      throw dray::Error(dray::ErrorCode::kNotFound, "there is no operation " + op_);
    }
    print_record(form_, operation, record_text(operation, stdout_is_coloured()));
    return kExitOk;
  }

 private:
  What what_;
  std::string op_;
  Form form_ = Form::kTable;
};

}  // namespace

void add_op_commands(CommandSet& commands, CLI::App& app) {
  CLI::App& group = CommandSet::add_group(app, "op", "look after changes of many jobs (--where)");
  commands.add(group, "ls", "list operations",
               [](CLI::App& sub) { return std::make_unique<OpListCommand>(sub); });
  const auto add = [&](const char* name, const char* help, OpCommand::What what) {
    commands.add(group, name, help,
                 [what](CLI::App& sub) { return std::make_unique<OpCommand>(sub, what); });
  };
  add("show", "show one", OpCommand::What::kShow);
  add("cancel", "end one; what it has changed stays changed", OpCommand::What::kCancel);
  add("wait", "wait until one is over", OpCommand::What::kWait);
}

}  // namespace cli
