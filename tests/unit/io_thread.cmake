weft_unit_test(poller)
weft_unit_test(wake)
weft_unit_test(timers)
weft_unit_test(dial)
weft_unit_test(resolve)
weft_unit_test(transport)
weft_unit_test(verify)
weft_unit_test(tls_ctx)
set(tls_pair "${PROJECT_SOURCE_DIR}/tests/support/tls_pair.c"
             "${PROJECT_SOURCE_DIR}/tests/support/tls_peer.c")
weft_unit_test(tls ${tls_pair})
weft_unit_test(tls_handshake ${tls_pair})
weft_unit_test(net_memory "${PROJECT_SOURCE_DIR}/tests/support/tls_peer.c")
weft_failing_alloc(net_memory)

# The certificates of the TLS tests, made once per build directory.
set(WEFT_TEST_CERTS "${PROJECT_BINARY_DIR}/tests/certs")
add_custom_command(OUTPUT "${WEFT_TEST_CERTS}/complete"
  COMMAND "${PROJECT_SOURCE_DIR}/tests/support/make_certs" "${WEFT_TEST_CERTS}"
  DEPENDS "${PROJECT_SOURCE_DIR}/tests/support/make_certs"
  COMMENT "Making the test certificates")
add_custom_target(weft_test_certs DEPENDS "${WEFT_TEST_CERTS}/complete")
foreach(noun verify tls_ctx tls tls_handshake net_memory)
  add_dependencies(test_${noun} weft_test_certs)
  target_compile_definitions(test_${noun} PRIVATE WEFT_TEST_CERTS="${WEFT_TEST_CERTS}")
endforeach()
weft_unit_test(body_stream)
weft_unit_test(breaks ../support/loop_server.c ../support/raw_server.c)
weft_unit_test(transport_error)
foreach(noun client conn conn_h2 delivery engine exchange future io_thread origin submit trace)
  weft_unit_test(${noun} ../support/loop_server.c ../support/seen.c)
endforeach()
weft_unit_test(log)
weft_unit_test(limits ../support/loop_server.c ../support/raw_server.c)
