// Pages of trees whose inner pages hold records, as those of indexes and of tables without row ids
// do (SQLite's file format, 1.6).
#pragma once

#include <cstddef>
#include <span>

namespace store {

// Makes a leaf with the same records of an inner page. Returns false for any other page, or one
// that is damaged; what is in it then is not said.
bool make_leaf(std::span<std::byte> page);

}  // namespace store
