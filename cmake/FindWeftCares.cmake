# Finds c-ares and makes the target weft::cares.
find_path(WeftCares_INCLUDE_DIR ares.h)
find_library(WeftCares_LIBRARY NAMES cares)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(WeftCares REQUIRED_VARS WeftCares_LIBRARY WeftCares_INCLUDE_DIR)
if(WeftCares_FOUND AND NOT TARGET weft::cares)
  add_library(weft::cares UNKNOWN IMPORTED)
  set_target_properties(weft::cares PROPERTIES
    IMPORTED_LOCATION "${WeftCares_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${WeftCares_INCLUDE_DIR}")
endif()
