package doctor

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// User is somebody with the groups that he has now.
type User struct {
	Name   string
	UID    uint32
	Groups []uint32
}

// account is a line of /etc/passwd or /etc/group.
type account struct {
	name    string
	number  uint32
	group   uint32   // of a user
	members []string // of a group
}

func (e *exam) accounts(file string) []account {
	var all []account
	for line := range strings.Lines(e.text(file)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) < 4 {
			continue
		}
		number, err := strconv.ParseUint(fields[2], 10, 32)
		if err != nil {
			continue
		}
		a := account{name: fields[0], number: uint32(number)}
		if group, err := strconv.ParseUint(fields[3], 10, 32); err == nil {
			a.group = uint32(group)
		}
		if fields[3] != "" {
			a.members = strings.Split(fields[3], ",")
		}
		all = append(all, a)
	}
	return all
}

func named(all []account, name string) (account, bool) {
	i := slices.IndexFunc(all, func(a account) bool { return a.name == name })
	if i < 0 || name == "" {
		return account{}, false
	}
	return all[i], true
}

// userNamed is a user as he would be after logging in; nil when there is none.
func (e *exam) userNamed(name string) *User {
	a, ok := named(e.accounts("/etc/passwd"), name)
	if !ok {
		return nil
	}
	u := User{Name: a.name, UID: a.number, Groups: []uint32{a.group}}
	for _, g := range e.accounts("/etc/group") {
		if slices.Contains(g.members, name) {
			u.Groups = append(u.Groups, g.number)
		}
	}
	return &u
}

func (e *exam) nameOf(file string, number uint32) string {
	all := e.accounts(file)
	if i := slices.IndexFunc(all, func(a account) bool { return a.number == number }); i >= 0 {
		return all[i].name
	}
	return strconv.FormatUint(uint64(number), 10)
}

// owned is a file with whom it belongs to.
type owned struct {
	mode     fs.FileMode
	uid, gid uint32
}

func (e *exam) stat(path string) (owned, error) {
	info, err := os.Stat(e.at(path))
	if err != nil {
		return owned{}, err
	}
	o := owned{mode: info.Mode()}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		o.uid, o.gid = s.Uid, s.Gid
	}
	return o, nil
}

// The rights of a file.
const (
	read  fs.FileMode = 4
	write fs.FileMode = 2
	enter fs.FileMode = 1
)

// may reports whether the file's mode gives the user all the rights. Lists of
// further rights (ACLs) are not looked at.
func (u User) may(o owned, rights fs.FileMode) bool {
	bits := o.mode.Perm()
	switch {
	case u.UID == 0:
		return true
	case u.UID == o.uid:
		bits >>= 6
	case slices.Contains(u.Groups, o.gid):
		bits >>= 3
	}
	return bits&rights == rights
}

// blocked is the first folder on the way to path, or path itself, that the user
// may not use; empty when he may.
func (e *exam) blocked(u User, path string, rights fs.FileMode) string {
	for dir := "/"; dir != path; {
		if o, err := e.stat(dir); err != nil || !u.may(o, enter) {
			return dir
		}
		next, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(path, dir), "/"), "/")
		dir = filepath.Join(dir, next)
	}
	if o, err := e.stat(path); err != nil || !u.may(o, rights) {
		return path
	}
	return ""
}

// describe is "0660 root:hailo-device-mgr".
func (e *exam) describe(o owned) string {
	return "0" + strconv.FormatUint(uint64(o.mode.Perm()), 8) + " " + e.nameOf("/etc/passwd", o.uid) + ":" + e.nameOf("/etc/group", o.gid)
}

const groupUsers = "users"

// members looks at who is in the manager's group.
func (e *exam) members() {
	check := "user " + e.ServiceUser
	if e.service == nil {
		e.hint(groupUsers, check, "sudo packaging/install.sh install makes it, and runs both daemons as services", "no such user: the daemons are not installed as services")
		return
	}
	e.ok(groupUsers, check, "in %s", e.groupNames(*e.service))
	number := e.service.Groups[0]
	group := e.nameOf("/etc/group", number)
	const depth = "hailo-depth"
	if u := e.userNamed(depth); u != nil {
		if slices.Contains(u.Groups, number) {
			e.ok(groupUsers, "user "+depth, "in the group %s", group)
		} else {
			e.fix(groupUsers, "user "+depth, "sudo usermod -aG "+group+" "+depth+" && sudo systemctl restart "+depth, "not in the group %s, which may use the manager's socket", group)
		}
	}
	if e.User.UID == 0 || e.User.Name == depth || e.User.Name == e.ServiceUser {
		return
	}
	check = "user " + e.User.Name
	known := e.userNamed(e.User.Name)
	switch {
	case slices.Contains(e.User.Groups, number):
		e.ok(groupUsers, check, "in the group %s", group)
	case known != nil && slices.Contains(known.Groups, number):
		e.hint(groupUsers, check, "log in again", "in the group %s, but not yet in this session", group)
	default:
		e.hint(groupUsers, check, "sudo usermod -aG "+group+" "+e.User.Name+", then log in again", "not in the group %s, which may use the manager's socket", group)
	}
}

func (e *exam) groupNames(u User) string {
	var names []string
	for _, g := range u.Groups {
		names = append(names, e.nameOf("/etc/group", g))
	}
	return strings.Join(names, ", ")
}
