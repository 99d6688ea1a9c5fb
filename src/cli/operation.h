// Changes of all jobs that a query finds: the server makes an operation of it, which goes on by
// itself; here it is begun, followed and told of.
#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"
#include "dray/client.h"

namespace cli {

// --where and what belongs to it.
struct Where {
  std::string query = {};
  std::optional<int> limit = {};
  std::optional<int> rate = {};
  bool is_dry = false;
  bool no_wait = false;

  // Whether nothing but the query was given.
  bool is_plain() const { return !limit && !rate && !is_dry && !no_wait; }
};

// With --where, unless the command has the query as its own word.
void add_where(CLI::App& app, Where& where, bool with_query = true);

// Whether a verb was told what it is about: jobs by id, or a query with its options. Says what is
// wrong otherwise; then the exit status is that of usage.
bool has_target(std::string_view verb, bool has_ids, const Where& where);

// Adds WHERE and its options to the words of a command, sends it and, unless told otherwise, stays
// until the operation is over. Returns the exit code: 1 when it was cancelled, 4 when
// jobs were skipped because their state had changed.
int run_where(dray::Client& client, std::vector<std::string> words, const Where& where, Form form);

// Stays until the operation is over; Ctrl-C leaves it running on the server.
int follow_operation(dray::Client& client, const std::string& op, Form form);

}  // namespace cli
