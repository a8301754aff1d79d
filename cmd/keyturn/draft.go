package main

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	"keyturn/bot"
)

// loadDraft reads a configuration of which only what has to be asked for first is
// missing: secrets, certificates, and the ID of the bot's registration.
func loadDraft(path string) (*config, []*bot.Tenant, error) {
	conf, err := readConfig(path)
	if err != nil {
		return nil, nil, err
	}
	promise(reflect.ValueOf(conf).Elem())
	tenants, f := conf.check()
	f = slices.DeleteFunc(f, func(fault string) bool {
		key, _, _ := strings.Cut(fault, ":")
		return strings.HasSuffix(key, "certificate") || key == "teams.app_id" && conf.Teams.AppID == ""
	})
	if len(f) > 0 {
		return nil, nil, &configError{path, f}
	}
	return conf, tenants, nil
}

// promise takes every reference to a secret for good whose secret is not there.
func promise(v reflect.Value) {
	if v.CanAddr() && v.CanInterface() {
		switch s := v.Addr().Interface().(type) {
		case *secret:
			s.promise()
			return
		case *endpoint:
			s.promise()
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			promise(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				promise(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			promise(v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			held := reflect.New(v.Type().Elem()).Elem()
			held.Set(v.MapIndex(k))
			promise(held)
			v.SetMapIndex(k, held)
		}
	}
}

func (s *secret) promise() {
	if errors.As(s.err, new(notThere)) {
		s.err = nil
	}
}
