package slack

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"keyturn/sim"
)

// File is an uploaded file. Data is there once it was uploaded; Ready once
// messages may show it.
type File struct {
	ID    string    `json:"id"`
	Name  string    `json:"name"`
	Title string    `json:"title,omitempty"`
	Alt   string    `json:"alt,omitempty"`
	Size  int       `json:"size"`
	Data  []byte    `json:"data,omitempty"`
	Done  bool      `json:"done,omitempty"` // the upload was completed
	Ready time.Time `json:"ready,omitzero"`
	Until time.Time `json:"until"` // the upload address serves until then
}

// maxFile is the largest file that the simulator takes.
const maxFile = 4 << 20

func (s *Server) file(id string) *File {
	i := slices.IndexFunc(s.st.Files, func(f File) bool { return f.ID == id })
	if i < 0 {
		return nil
	}
	return &s.st.Files[i]
}

func (s *Server) filesUploadURL(a args) (reply, error) {
	name := a.str("filename")
	size, err := strconv.Atoi(a.str("length"))
	switch {
	case name == "":
		return nil, refuse("missing_argument")
	case err != nil || size <= 0:
		return nil, refuse("invalid_arguments")
	case size > maxFile:
		return nil, refuse("file_upload_size_restricted")
	}
	s.st.Seq++
	f := File{ID: fmt.Sprintf("F%010X", 0x5A00000000+s.st.Seq), Name: name, Alt: a.str("alt_txt"), Size: size, Until: s.cfg.Now().Add(time.Hour)}
	s.st.Files = append(s.st.Files, f)
	return reply{"upload_url": s.url + "/upload/v1/" + f.ID + "-" + s.nonce(), "file_id": f.ID}, nil
}

// serveUpload takes the bytes at an address that filesUploadURL gave out. It
// asks for no token.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	id, _, _ := strings.Cut(r.PathValue("ticket"), "-")
	data, err := io.ReadAll(io.LimitReader(r.Body, maxFile+1))
	s.mu.Lock()
	f := s.file(id)
	status := http.StatusOK
	switch {
	case err != nil || f == nil || f.Done || s.cfg.Now().After(f.Until):
		status = http.StatusNotFound
	case len(data) != f.Size:
		status = http.StatusBadRequest
	default:
		f.Data = data
	}
	s.mu.Unlock()
	s.Journal.Add(sim.Call{At: s.cfg.Now(), Method: r.Method, Path: r.URL.Path, Status: status, Note: "upload " + id, Write: true})
	w.WriteHeader(status)
	fmt.Fprintf(w, "OK - %d", len(data))
}

func (s *Server) filesComplete(a args) (reply, error) {
	var list []struct{ ID, Title string }
	if json.Unmarshal(a.raw("files"), &list) != nil || len(list) == 0 {
		return nil, refuse("invalid_arguments")
	}
	var done []map[string]any
	for _, one := range list {
		f := s.file(one.ID)
		if f == nil || f.Data == nil {
			return nil, refuse("file_not_found")
		}
		if f.Done {
			return nil, refuse("file_update_failed")
		}
		f.Title, f.Done, f.Ready = one.Title, true, s.cfg.Now().Add(s.cfg.FileLag)
		done = append(done, map[string]any{"id": f.ID, "title": f.Title})
	}
	s.touch()
	return reply{"files": done}, nil
}

// pictured refuses messages that show files which are not there, or not ready:
// Slack makes an uploaded file ready some time after its upload is complete.
func (s *Server) pictured(blocks json.RawMessage) error {
	var list []struct {
		Type string
		File *struct{ ID, URL string } `json:"slack_file"`
	}
	if len(blocks) == 0 || json.Unmarshal(blocks, &list) != nil {
		return nil
	}
	for i, b := range list {
		if b.File == nil {
			continue
		}
		if f := s.file(b.File.ID); f == nil || !f.Done || s.cfg.Now().Before(f.Ready) {
			return &refusal{code: "invalid_blocks", messages: []string{fmt.Sprintf("invalid slack file [json-pointer:/blocks/%d/slack_file]", i)}}
		}
	}
	return nil
}
