package attachment

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"image/png"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"carrel/broker/form"
	"carrel/broker/problem"
)

// File is a file that passed.
type File struct {
	Name string
	Type string // media type
	Data []byte
}

// kindOf is one kind of file: how its names end and what its content must be.
type kindOf struct {
	endings []string
	check   func(data []byte) error
}

func kinds() map[string]kindOf {
	return map[string]kindOf{
		PDF:  {[]string{".pdf"}, isPDF},
		PNG:  {[]string{".png"}, isPNG},
		JPEG: {[]string{".jpg", ".jpeg"}, isJPEG},
		DOCX: {[]string{".docx"}, office("word/document.xml", "wordprocessingml.document.main+xml")},
		XLSX: {[]string{".xlsx"}, office("xl/workbook.xml", "spreadsheetml.sheet.main+xml")},
		Text: {[]string{".txt"}, isText},
	}
}

// Check judges a file by its name, its declared media type and its content. An error says what to do and repeats neither name nor content.
func Check(name, declared string, data []byte) (File, error) {
	name, err := Name(name)
	if err != nil {
		return File{}, err
	}
	if len(data) == 0 {
		return File{}, problem.New(problem.Invalid, "附件是空的；请选择有内容的文件。", "The attachment is empty; choose a file with content.")
	}
	if len(data) > MaxSize {
		return File{}, TooLarge()
	}
	media, _, err := mime.ParseMediaType(declared)
	if err != nil {
		return File{}, unlisted()
	}
	kind, ok := kinds()[strings.ToLower(media)]
	if !ok {
		return File{}, unlisted()
	}
	if !slices.Contains(kind.endings, ending(name)) {
		return File{}, problem.New(problem.Invalid, "附件名的后缀与其类型不符；请按类型命名（如 .pdf）。", "The ending of the attachment's name does not fit its type; name it by its type (such as .pdf).")
	}
	if err := kind.check(data); err != nil {
		return File{}, err
	}
	return File{Name: name, Type: strings.ToLower(media), Data: data}, nil
}

// TooLarge is what is said of a file above the size, wherever that is noticed.
func TooLarge() error {
	return problem.New(problem.TooLarge, "附件过大（上限 10 MB）；请压缩或拆分。", "The attachment is too large (10 MB at most); compress or split it.")
}

func unlisted() error {
	return problem.New(problem.Invalid, "附件类型不在允许之列；请使用 PDF、PNG、JPEG、DOCX、XLSX 或纯文本。", "The attachment's type is not allowed; use PDF, PNG, JPEG, DOCX, XLSX or plain text.")
}

// mismatch is a content that is not what it is declared as. The cause stays inside.
func mismatch(cause error) error {
	return problem.Wrap(cause, problem.Invalid, "附件内容与其类型不符或已损坏；请检查文件。", "The attachment's content is not of its type, or is damaged; check the file.")
}

func isPDF(data []byte) error {
	tail := data[max(0, len(data)-1024):]
	if !bytes.HasPrefix(data, []byte("%PDF-1.")) && !bytes.HasPrefix(data, []byte("%PDF-2.")) || !bytes.Contains(tail, []byte("%%EOF")) {
		return mismatch(nil)
	}
	return nil
}

func isPNG(data []byte) error {
	c, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return mismatch(err)
	}
	return size(c.Width, c.Height)
}

func isJPEG(data []byte) error {
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return mismatch(err)
	}
	return size(c.Width, c.Height)
}

func size(width, height int) error {
	if width < 1 || height < 1 || width > maxPixels/height {
		return problem.New(problem.TooLarge, "图片展开后过大；请缩小尺寸。", "The picture is too large when it is unpacked; make it smaller.")
	}
	return nil
}

func isText(data []byte) error {
	if !utf8.Valid(data) {
		return mismatch(nil)
	}
	if err := form.Plain(strings.TrimPrefix(string(data), "\ufeff"), true); err != nil {
		return problem.New(problem.Invalid, "文本附件含有控制、不可见或改变书写方向的字符；请另存为普通文本。", "The text holds control, invisible or direction-turning characters; save it as plain text.")
	}
	return nil
}

// bomb is an archive that unpacks to too much.
func bomb(what string) error {
	return problem.Wrap(fmt.Errorf("attachment: %s", what), problem.TooLarge, "附件是压缩文件，展开后过大；请另存后再上传。", "The attachment is packed and would be far too large when unpacked; save it anew and attach that.")
}
