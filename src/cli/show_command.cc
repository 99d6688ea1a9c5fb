// dray show <id|key:name>
#include <fmt/format.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/job_text.h"
#include "cli/json_text.h"
#include "cli/terminal.h"
#include "config/duration.h"
#include "dray/client.h"

namespace cli {
namespace {

class ShowCommand final : public Command {
 public:
  explicit ShowCommand(CLI::App& app) {
    app.add_option("job", id_, "the job's id, or key:<name>")->required();
    add_url(app, url_);
    add_output(app, is_json_);
  }

  int run() override {
    dray::Client client(client_options(url_));
    const auto job = client.get(id_);
    if (!job) {
      fmt::print(stderr,
                 "dray: there is no job {}\n      it never was, was deleted, or its record is "
                 "gone (push with --keep to keep it longer)\n",
                 printable(id_));
      return kExitNotFound;
    }
    if (is_json_) {
      std::string json;
      append_json(job->raw, json);
      fmt::print("{}\n", json);
    } else {
      fmt::print("{}", job_text(*job, stdout_is_coloured()));
    }
    return kExitOk;
  }

 private:
  std::string id_;
  std::string url_;
  bool is_json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_show(CLI::App& app) {
  return std::make_unique<ShowCommand>(app);
}

}  // namespace cli
