#include "store/sqlite/first_page.h"

#include <sqlite3.h>

#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/page_stamp.h"
#include "store/sqlite/sql_texts.h"

namespace store {
namespace {

// Of SQLite's file format: the head of page 1.
constexpr size_t kWriteVersionAt = 18;
constexpr size_t kReadVersionAt = 19;
constexpr auto kWithLog = std::byte{2};
constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr size_t kHeadBytes = 100;
constexpr size_t kPageCountAt = 28;  // Four bytes; 0 stands for as many as the file has.

// The first page of a file in memory that is made as any is.
base::Result<std::vector<std::byte>> make_first_page() {
  Connection connection;
  TRY(connection.open(":memory:", ""));
  TRY(connection.run(kConnectionSql));
  TRY(connection.run(kSchemaSql));
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> bytes(
      sqlite3_serialize(connection.handle(), "main", &size, 0), sqlite3_free);
  ASSERT(bytes != nullptr, "no memory for {} bytes", size);
  const std::span file(reinterpret_cast<const std::byte*>(bytes.get()), static_cast<size_t>(size));
  const auto page = file.first(kTablesPageBytes);
  return std::vector(page.begin(), page.end());
}

}  // namespace

base::Status write_first_page(FileSystem& files, const std::string& path) {
  std::vector<std::byte> page = TRY(make_first_page());
  page[kWriteVersionAt] = page[kReadVersionAt] = kWithLog;  // There is none in memory.
  std::memset(&page[kPageCountAt], 0, sizeof(uint32_t));
  const auto file = TRY(files.open_to_write(path));
  std::vector<std::byte> head(kHeadBytes);
  TRY(file->read_at(0, head));
  const std::string_view magic(reinterpret_cast<const char*>(head.data()), kMagic.size());
  if (magic == kMagic && head[PageStamp::kBytesAt] == std::byte{0}) return {};
  PageStamp stamp;
  return file->write_at(0, stamp.stamp(page, 0));
}

}  // namespace store
