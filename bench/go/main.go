// The driver of Go's net/http: bench_peer_go URL REQUESTS IN-FLIGHT CONNECTIONS [UPLOAD-FILE].
// Like the drivers in C (../peer.h) it accepts any certificate, drops what it receives, and ends
// with a line of counts and latencies. The standard library alone speaks HTTP/2 over TLS only.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type job struct {
	url         string
	requests    int64
	inFlight    int
	connections int
	upload      string
}

func parse(args []string) (job, bool) {
	if len(args) < 5 || !strings.HasPrefix(args[1], "https://") {
		return job{}, false
	}
	j := job{url: args[1]}
	requests, e1 := strconv.ParseInt(args[2], 10, 64)
	inFlight, e2 := strconv.Atoi(args[3])
	connections, e3 := strconv.Atoi(args[4])
	if e1 != nil || e2 != nil || e3 != nil || inFlight < 1 || connections < 1 ||
		requests < int64(connections) {
		return job{}, false
	}
	j.requests, j.inFlight, j.connections = requests, inFlight, connections
	if len(args) > 5 {
		j.upload = args[5]
	}
	return j, true
}

// A client with one connection of its own.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2:  true,
		MaxConnsPerHost:    1,
		DisableCompression: true,
	}}
}

func once(client *http.Client, j *job) bool {
	method := "GET"
	var body io.Reader
	length := int64(0)
	if j.upload != "" {
		file, err := os.Open(j.upload)
		if err != nil {
			return false
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return false
		}
		method, body, length = "POST", file, info.Size()
	}
	request, err := http.NewRequest(method, j.url, body)
	if err != nil {
		return false
	}
	request.ContentLength = length
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.StatusCode == 200 && response.ProtoMajor == 2
}

// What one goroutine saw.
type share struct {
	latencies []time.Duration
	failed    int
}

func (s *share) run(client *http.Client, j *job) {
	began := time.Now()
	if once(client, j) {
		s.latencies = append(s.latencies, time.Since(began))
	} else {
		s.failed++
	}
}

func main() {
	j, ok := parse(os.Args)
	if !ok {
		fmt.Fprintln(os.Stderr, "usage: https://... REQUESTS IN-FLIGHT CONNECTIONS [UPLOAD-FILE]")
		os.Exit(2)
	}
	left := j.requests - int64(j.connections)
	shares := make([]share, j.connections*j.inFlight)
	var all sync.WaitGroup
	for c := 0; c < j.connections; c++ {
		client := newClient()
		mine := shares[c*j.inFlight : (c+1)*j.inFlight]
		mine[0].run(client, &j) // opens the connection, so that the others find it
		for i := range mine {
			all.Add(1)
			go func(s *share) {
				defer all.Done()
				for atomic.AddInt64(&left, -1) >= 0 {
					s.run(client, &j)
				}
			}(&mine[i])
		}
	}
	all.Wait()
	report(shares, j.requests)
}

func report(shares []share, requests int64) {
	var latencies []time.Duration
	failed := 0
	for _, s := range shares {
		latencies = append(latencies, s.latencies...)
		failed += s.failed
	}
	sort.Slice(latencies, func(a, b int) bool { return latencies[a] < latencies[b] })
	at := func(percent int) int64 {
		if len(latencies) == 0 {
			return 0
		}
		return latencies[len(latencies)*percent/100].Microseconds()
	}
	fmt.Printf("REPORT ok=%d err=%d p50us=%d.0 p99us=%d.0\n", len(latencies), failed, at(50), at(99))
	if int64(len(latencies)) != requests {
		os.Exit(1)
	}
}
