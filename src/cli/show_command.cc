// dray show <id|key:name>…
#include <fmt/format.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/job_text.h"
#include "cli/terminal.h"

namespace cli {
namespace {

class ShowCommand final : public ServerCommand {
 public:
  explicit ShowCommand(CLI::App& app) : ServerCommand(app) {
    app.add_option("job", ids_, "ids, or key:<name>")->required();
    add_output(app, form_);
    add_example(app, "dray show key:order:1001 -o wide",
                "With -o wide nothing is cut, and each attempt has its whole message and trace.");
  }

  int run() override {
    size_t found = 0;
    for (const std::string& id : ids_) {
      const auto job = client().get(id);
      if (!job) {
        print_error(
            "dray: there is no job {}\n      it never was, was deleted, or its record is "
            "gone (push with --keep to keep it longer)\n",
            printable(id));
        continue;
      }
      if (found++ > 0 && !is_json(form_)) fmt::print("\n");
      print(*job, found == 1);
    }
    if (form_ == Form::kJson && ids_.size() > 1)
      fmt::print("{}]}}\n", found == 0 ? "{\"jobs\":[" : "");
    if (found == ids_.size()) return kExitOk;
    return found > 0 ? kExitPartial : kExitNotFound;
  }

 private:
  // One job is a document of its own; several are one document together.
  void print(const dray::JobRecord& job, bool is_first) const {
    if (form_ == Form::kJson && ids_.size() > 1) {
      fmt::print("{}{}", is_first ? "{\"jobs\":[" : ",", json_of(job.raw));
    } else if (is_json(form_)) {
      fmt::print("{}\n", json_of(job.raw));
    } else {
      fmt::print("{}", job_text(job, stdout_is_coloured(), form_ == Form::kWide));
    }
  }

  std::vector<std::string> ids_;
  Form form_ = Form::kTable;
};

}  // namespace

std::unique_ptr<Command> make_show(CLI::App& app) {
  return std::make_unique<ShowCommand>(app);
}

}  // namespace cli
