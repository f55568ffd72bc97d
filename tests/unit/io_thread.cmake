weft_unit_test(poller)
weft_unit_test(wake)
weft_unit_test(timers)
