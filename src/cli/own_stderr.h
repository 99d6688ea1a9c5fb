// Our stderr for those who may not wait until somebody reads it.
#pragma once
#include <string_view>

namespace cli {

// Writes as much as stderr takes at once, and returns how many bytes that was. All of them where
// it can take nothing ever again: then they are lost.
// Threading: any number of threads; one whole call at a time.
size_t write_at_once(std::string_view bytes);

}  // namespace cli
