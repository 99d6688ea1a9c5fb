// The first page of the tables' file: its head and its schema, which are the same in each file of
// this format. Where it is damaged, another one tells where everything is.
#pragma once

#include <string>

#include "base/result.h"
#include "store/file.h"

namespace store {

// Puts a first page of this format over that of the file at `path`. What it said of how many pages
// there are, and which are free, is not known then: the file is to be read only. Files of before
// there were stamps (page_stamp.h) are left as they are. Errors: IO, DISKFULL.
base::Status write_first_page(FileSystem& files, const std::string& path);

}  // namespace store
