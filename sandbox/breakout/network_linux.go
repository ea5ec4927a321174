package breakout

import (
	"errors"

	"golang.org/x/sys/unix"
)

// parentSocket is the one socket that a child is born with.
const parentSocket = 3

func socket(domain, kind int) func(Target) func() error {
	return plain(func() error { _, err := unix.Socket(domain, kind, 0); return err })
}

// networkAttempts want somebody to talk to who is not the parent, or to tell the parent more than bytes.
func networkAttempts() []Attempt {
	kill := killed()
	return []Attempt{
		{Text{"互联网套接字", "internet socket"}, Network, "socket AF_INET SOCK_STREAM", kill, 0, true, socket(unix.AF_INET, unix.SOCK_STREAM)},
		{Text{"数据报套接字", "datagram socket"}, Network, "socket AF_INET SOCK_DGRAM", kill, 0, true, socket(unix.AF_INET, unix.SOCK_DGRAM)},
		{Text{"原始套接字", "raw socket"}, Network, "socket AF_INET SOCK_RAW", kill, 0, false, socket(unix.AF_INET, unix.SOCK_RAW)},
		{Text{"IPv6 套接字", "IPv6 socket"}, Network, "socket AF_INET6", kill, 0, false, socket(unix.AF_INET6, unix.SOCK_STREAM)},
		{Text{"本机套接字", "local socket"}, Network, "socket AF_UNIX", kill, 0, true, socket(unix.AF_UNIX, unix.SOCK_STREAM)},
		{Text{"内核消息套接字", "netlink"}, Network, "socket AF_NETLINK", kill, 0, true, socket(unix.AF_NETLINK, unix.SOCK_RAW)},
		{Text{"链路层套接字", "packet socket"}, Network, "socket AF_PACKET", kill, 0, false, socket(unix.AF_PACKET, unix.SOCK_RAW)},
		{Text{"虚拟机套接字", "virtual machine socket"}, Network, "socket AF_VSOCK", kill, 0, false, socket(unix.AF_VSOCK, unix.SOCK_STREAM)},
		{Text{"内核密码接口", "crypto socket"}, Network, "socket AF_ALG", kill, 0, false, socket(unix.AF_ALG, unix.SOCK_SEQPACKET)},
		{Text{"套接字对", "socket pair"}, Network, "socketpair AF_UNIX", kill, 0, true, plain(func() error {
			_, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			return err
		})},
		{Text{"连接本机端口", "connect"}, Network, "socket, connect 127.0.0.1", kill, 4, true, connect},
		{Text{"监听端口", "listen on a port"}, Network, "socket, bind 127.0.0.1", kill, 4, true, plain(bind)},
		{Text{"借继承的套接字连接", "connect the inherited socket"}, Network, "connect 3", kill, 0, false, plain(func() error {
			return unix.Connect(parentSocket, &unix.SockaddrUnix{Name: "/run/carrel-nobody"})
		})},
		{Text{"在继承的套接字上监听", "listen on the inherited socket"}, Network, "listen 3", kill, 0, false, call(unix.SYS_LISTEN, parentSocket, 1)},
		{Text{"接受连接", "accept"}, Network, "accept4 3", kill, 0, false, call(unix.SYS_ACCEPT4, parentSocket, 0, 0, unix.SOCK_NONBLOCK)},
		{Text{"向父进程传描述符", "send descriptors"}, Network, "sendmsg 3 SCM_RIGHTS", kill, 0, false, plain(func() error {
			return unix.Sendmsg(parentSocket, []byte{0}, unix.UnixRights(0), nil, unix.MSG_DONTWAIT)
		})},
		{Text{"另一种发送", "send to"}, Network, "sendto 3", kill, 0, false, call(unix.SYS_SENDTO, parentSocket, 0, 0, unix.MSG_DONTWAIT, 0, 0)},
		{Text{"成批发送", "send many"}, Network, "sendmmsg 3", kill, 0, false, call(unix.SYS_SENDMMSG, parentSocket, 0, 0, 0)},
		{Text{"改套接字选项", "socket options"}, Network, "setsockopt 3", kill, 0, false, call(unix.SYS_SETSOCKOPT, parentSocket, unix.SOL_SOCKET, unix.SO_PASSCRED, 0, 0)},
		{Text{"管道", "pipe"}, Network, "pipe2", kill, 0, true, plain(func() error { return unix.Pipe2(make([]int, 2), 0) })},
	}
}

// connect wants the parent's listener, or a refusal by the network, which is a success too: it was reached.
func connect(t Target) func() error {
	return func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: max(1, t.Port), Addr: [4]byte{127, 0, 0, 1}})
		if errors.Is(err, unix.ECONNREFUSED) {
			return nil
		}
		return err
	}
}

// bind wants a port for others to come in by.
func bind() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
}
