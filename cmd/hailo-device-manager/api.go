package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hailo-depth/config"
	"hailo-depth/inferapi"
	"hailo-depth/manager"
	"hailo-depth/peer"
	"hailo-depth/socketapi"
	"hailo-depth/statusapi"
)

// api is the HTTP interface on one listener.
type api struct {
	server   *inferapi.Server
	listener net.Listener
}

type apis []api

func (all apis) addresses() string {
	if len(all) == 0 {
		return "off"
	}
	var list []string
	for _, a := range all {
		list = append(list, a.listener.Addr().String())
	}
	return strings.Join(list, " ")
}

// bodies is how many of the largest messages may be in memory at once.
const bodies = 4

// openAPI listens on the Unix socket, which has the mode and group of socket,
// and on the address, as the configuration says.
func openAPI(c config.Manager, m *manager.Manager, r *reloader, socket socketapi.Socket, registry *prometheus.Registry, stopWithin time.Duration, log *slog.Logger) (all apis, err error) {
	shared := &inferapi.API{
		Manager: m, Models: r.named, Reload: r.reload,
		Status: statusapi.Handler(m, registry, log), Version: config.Version(),
		MaxMessage: c.MaxMessageBytes, Bodies: inferapi.NewBodies(bodies * c.MaxMessageBytes), Log: log,
	}
	add := func(l net.Listener, access inferapi.Access) {
		all = append(all, api{&inferapi.Server{API: shared, Access: access, MaxConnections: c.MaxConnections, StopTimeout: stopWithin, Client: peer.Name}, l})
	}
	if socket.Path = c.APISocketPath(); socket.Path != "" {
		l, err := socketapi.Listen(socket)
		if err != nil {
			return nil, fmt.Errorf("api_socket: %w", err)
		}
		add(l, inferapi.Access{Trusted: true})
	}
	address, err := statusapi.ParseBind(c.APIListen)
	if err == nil && address != "" {
		var l net.Listener
		var access inferapi.Access
		if access, err = outside(address, c.APITokenFile); err == nil {
			if l, err = net.Listen("tcp", address); err == nil {
				add(l, access)
			}
		}
	}
	if err != nil {
		err = fmt.Errorf("api_listen: %w", err)
		for _, a := range all {
			err = errors.Join(err, a.listener.Close())
		}
		return nil, err
	}
	return all, nil
}

const (
	leastToken = 16   // bytes
	mostToken  = 4096 // bytes
)

// outside is what clients of a network address may do.
func outside(address, tokenFile string) (inferapi.Access, error) {
	f, err := os.Open(tokenFile)
	if err != nil {
		return inferapi.Access{}, fmt.Errorf("the token: %w", err)
	}
	token, err := io.ReadAll(io.LimitReader(f, mostToken+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return inferapi.Access{}, fmt.Errorf("the token: %w", err)
	}
	token = bytes.TrimSpace(token)
	if len(token) < leastToken || len(token) > mostToken {
		return inferapi.Access{}, &config.Error{Source: tokenFile, Message: fmt.Sprintf("the token has %d characters; expected %d to %d", len(token), leastToken, mostToken)}
	}
	host, _, err := net.SplitHostPort(address)
	return inferapi.Access{Token: token, Hosts: []string{host}}, err
}
