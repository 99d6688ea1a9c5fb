#include "repair/tables_view.h"

namespace repair {

TablesView::TablesView(store::FileSystem& files, const std::string& directory)
    : calls_(files.calls(), kScratchBytesMax),
      files_(calls_),
      tables_(files_, store::SqliteTablesOptions{directory}) {}

}  // namespace repair
