#include "cli/suggestion.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/command_tree.h"
#include "protocol/text.h"

namespace cli {

std::string nearest(const std::vector<std::string>& words, std::string_view given) {
  std::string found;
  // One slip in a short word, three in a long one.
  size_t least = std::clamp<size_t>(given.size() / 3, 1, 3) + 1;
  for (const std::string& word : words) {
    const bool begins = given.size() >= 3 && word.starts_with(given);
    const size_t distance = begins ? 1 : protocol::edit_distance(word, given);
    if (distance >= least) continue;
    least = distance;
    found = word;
  }
  return found;
}

std::string did_you_mean(std::string_view word) {
  return word.empty() ? std::string() : fmt::format(" (did you mean {}?)", word);
}

const CLI::App& deepest_parsed(const CLI::App& root) {
  const CLI::App* app = &root;
  for (;;) {
    const auto parsed = app->get_subcommands([](const CLI::App* inner) { return inner->parsed(); });
    if (parsed.empty()) return *app;
    app = parsed.front();
  }
}

std::string unknown_verb(const CLI::App& root) {
  if (names_of_subcommands(deepest_parsed(root)).empty()) return {};
  for (const std::string& word : root.remaining(true)) {
    if (!word.starts_with('-')) return word;
  }
  return {};
}

std::string suggestion(const CLI::App& root) {
  const CLI::App& app = deepest_parsed(root);
  const std::string verb = unknown_verb(root);
  // What stands behind a verb that there is not belongs to it.
  if (!verb.empty()) return nearest(names_of_subcommands(app), verb);
  for (const std::string& word : root.remaining(true)) {
    if (!word.starts_with("--")) continue;
    std::string found = nearest(long_options(app), word.substr(0, word.find('=')));
    if (!found.empty()) return found;
  }
  return {};
}

}  // namespace cli
