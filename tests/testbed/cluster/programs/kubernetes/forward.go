package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// forward LISTEN PID DIAL: connections to LISTEN (127.0.0.1:0 takes a free port) go on to DIAL as the process PID sees the
// network. Prints the address on which it listens. The two networks have neither a device nor a route in common.
func forward(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("forward LISTEN PID DIAL")
	}
	network, err := os.Open("/proc/" + args[1] + "/ns/net")
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp4", args[0])
	if err != nil {
		return err
	}
	wanted := make(chan net.Conn)
	failed := make(chan error, 1)
	go func() { failed <- dialInside(network, args[2], wanted) }()
	fmt.Println(listener.Addr())
	os.Stdout.Close()
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		select {
		case wanted <- client:
		case err := <-failed:
			return err
		}
	}
}

// A thread that has entered the network for good, and makes the sockets that belong to it.
func dialInside(network *os.File, address string, wanted <-chan net.Conn) error {
	runtime.LockOSThread()
	if err := unix.Setns(int(network.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	for client := range wanted {
		server, err := net.Dial("tcp4", address)
		if err != nil {
			client.Close()
			continue
		}
		go join(client.(*net.TCPConn), server.(*net.TCPConn))
	}
	return nil
}

// Passes bytes in both directions; the end of one leaves the other open.
func join(client, server *net.TCPConn) {
	var both sync.WaitGroup
	pass := func(to, from *net.TCPConn) {
		defer both.Done()
		io.Copy(to, from)
		to.CloseWrite()
	}
	both.Add(2)
	go pass(server, client)
	go pass(client, server)
	both.Wait()
	client.Close()
	server.Close()
}
