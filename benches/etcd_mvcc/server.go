// A real etcd over the loopback interface, with its own client: what a program waits for that asks for one
// thing after the other. It syncs each put before it answers. With many clients: clients.go.

package main

import (
	"context"
	"fmt"
	"io/ioutil"
	"net"
	"os"
	"os/exec"
	"time"

	"go.etcd.io/etcd/clientv3"
)

const serverPatience = 30 * time.Second

// server is an etcd with a folder of its own.
type server struct {
	process  *exec.Cmd
	folder   string
	endpoint string
	client   *clientv3.Client
}

func (b *bench) startServer() *server {
	folder, err := ioutil.TempDir(b.dir, "etcd-server-")
	check(err)
	clients, peers := "http://"+freeAddress(), "http://"+freeAddress()
	process := exec.Command("etcd", "--data-dir", folder, "--log-level", "error",
		"--listen-client-urls", clients, "--advertise-client-urls", clients,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
		"--initial-cluster", "default="+peers)
	check(process.Start())
	s := &server{process: process, folder: folder, endpoint: clients}
	s.client = s.connect()
	return s
}

// connect returns another client, which the server has answered: both are up.
func (s *server) connect() *clientv3.Client {
	client, err := clientv3.New(clientv3.Config{
		Endpoints: []string{s.endpoint}, DialTimeout: serverPatience,
	})
	check(err)
	within, cancel := context.WithTimeout(context.Background(), serverPatience)
	defer cancel()
	_, err = client.Get(within, "k")
	check(err)
	return client
}

// freeAddress is one that nobody listens on at the moment.
func freeAddress() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer listener.Close()
	return listener.Addr().String()
}

func (s *server) stop() {
	check(s.client.Close())
	check(s.process.Process.Kill())
	s.process.Wait() // it was killed, which is no news
	check(os.RemoveAll(s.folder))
}

func (s *server) digest() uint64 {
	found, err := s.client.Get(context.Background(), "k", clientv3.WithPrefix())
	check(err)
	var digest uint64
	for _, kv := range found.Kvs {
		digest += kvSum(kv.Key, kv.Value)
	}
	return digest
}

// durable: the twin of benches/src/durable.rs.
func (b *bench) durable() {
	s := b.startServer()
	defer s.stop()
	keys, from := numberedKeys(serverKeys), newRandom(seedServer, b.round)
	put := func(i, pick int) {
		_, err := s.client.Put(context.Background(), string(keys[pick]), string(b.values[i%valueCount]))
		check(err)
	}
	for i := range keys {
		put(i, i)
	}
	timed := func(count int, work func(i, pick int)) []time.Duration {
		took := make([]time.Duration, count)
		for i, pick := range from.picks(count, serverKeys) {
			start := time.Now()
			work(i, pick)
			took[i] = time.Since(start)
		}
		return took
	}

	b.latencies("etcd-server", "durable put", timed(serverPuts, put), s.digest())
	var digest uint64
	took := timed(serverGets, func(_, pick int) {
		found, err := s.client.Get(context.Background(), string(keys[pick]))
		check(err)
		digest += kvSum(found.Kvs[0].Key, found.Kvs[0].Value)
	})
	b.latencies("etcd-server", "get, one client", took, digest)

	events, cancel := watchPrefix(s.client, "k")
	defer cancel()
	took = timed(serverPuts, func(i, pick int) {
		put(i, pick)
		response := <-events
		must(len(response.Events) == 1, "%d events of one put", len(response.Events))
	})
	b.latencies("etcd-server", "durable put until its event", took, s.digest())
}

// watchPrefix returns once the watcher is there.
func watchPrefix(client *clientv3.Client, prefix string) (clientv3.WatchChan, context.CancelFunc) {
	watching, cancel := context.WithCancel(context.Background())
	events := client.Watch(watching, prefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	created := <-events
	must(created.Created, "the first response says that it was created: %v", fmt.Sprint(created))
	return events, cancel
}
