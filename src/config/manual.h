// What people are told of the settings: a file to start from, and the page of one key.
#pragma once
#include <span>
#include <string>

#include "config/key.h"
#include "config/settings.h"

namespace config {

// A file of TOML with every key, its doc and its default, all of it behind #.
std::string default_file(std::span<const Key> keys);

// Several lines: what it is, its three names, its default, what it is now and who says so.
std::string explanation(const Setting& setting);

}  // namespace config
