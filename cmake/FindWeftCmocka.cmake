# Finds CMocka and makes the target weft::cmocka.
find_path(WeftCmocka_INCLUDE_DIR cmocka.h)
find_library(WeftCmocka_LIBRARY NAMES cmocka)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(WeftCmocka REQUIRED_VARS WeftCmocka_LIBRARY WeftCmocka_INCLUDE_DIR)
if(WeftCmocka_FOUND AND NOT TARGET weft::cmocka)
  add_library(weft::cmocka UNKNOWN IMPORTED)
  set_target_properties(weft::cmocka PROPERTIES
    IMPORTED_LOCATION "${WeftCmocka_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${WeftCmocka_INCLUDE_DIR}")
endif()
