// "Did you mean": the nearest word to one that there is not.
#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

// The nearest of `words`; empty when none is near enough to be a slip.
std::string nearest(const std::vector<std::string>& words, std::string_view given);

// " (did you mean WORD?)", or nothing for an empty word.
std::string did_you_mean(std::string_view word);

// What was parsed last: the subcommand whose options the rest of the line was to be.
const CLI::App& deepest_parsed(const CLI::App& root);

// After a failed parse: the word that stands where a verb should, when it is none; else empty.
std::string unknown_verb(const CLI::App& root);

// After a failed parse: for a word that is no verb or option, the one that was meant; else empty.
std::string suggestion(const CLI::App& root);

}  // namespace cli
