weft_unit_test(completion)
weft_unit_test(cq)
target_link_options(test_cq PRIVATE
  -Wl,--wrap=eventfd_read,--wrap=pthread_mutex_unlock)
weft_unit_test(mailbox)
weft_unit_test(octet_chain)
weft_unit_test(park)
weft_unit_test(spin)
weft_unit_test(worker_pool)
