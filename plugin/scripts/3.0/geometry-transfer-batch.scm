; SPDX-License-Identifier: GPL-3.0-or-later
; Geometry Transfer on a folder of cases, GIMP 3, from the shell and without a display:
;
;   gimp-console-3.0 -n -f -i --batch-interpreter plug-in-script-fu-eval -b '(begin (load "geometry-transfer-batch.scm")
;       (geometry-transfer-batch "CASES" "OUTPUT" (list "preset" "balanced" "feather" 5)))' --quit
;
; CASES    Each folder in it that holds target.*, source.* and mask.* (png, jpg, tif) is a case. The mask is white where
;          the source shows the geometry. Source and mask lie on the target with the same top left.
; OUTPUT   It gets NAME.png, the picture, and NAME.xcf, its layers with the selection. It also gets report.txt. That has
;          a line "NAME ok" or "NAME failed: why" as each case ends, and a last line like "done 12 failed 0". GIMP exits
;          with 0 if there was a case and all went well, else with 70.
; The list has names and values of those arguments of plug-in-geometry-transfer that are not at their defaults. With an
; unknown name every case fails. For an unknown word ("preset" "instamt") GIMP 3.0 prints a warning and takes the
; default.
;
; One transfer, in a script of your own. Further references are the numbers of their layers, geometry or texture, and a
; weight:
;
;   (geometry-transfer image target source
;     (list "preset" "draft" "references"
;           (string-append (number->string hole) " geometry 1; " (number->string wood) " texture 0.5")))

; ("preset" "instant") -> (#:preset "instant"); only the reader makes such names
(define (geometry-transfer-named settings)
  (if (null? settings)
      '()
      (cons (read (open-input-string (string-append "#:" (car settings) " ")))
            (cons (cadr settings) (geometry-transfer-named (cddr settings))))))

; (geometry-transfer image target source (list "preset" "instant")) -> the new layer
(define (geometry-transfer image target source settings)
  (car (apply plug-in-geometry-transfer
              (geometry-transfer-named (append (list "run-mode" RUN-NONINTERACTIVE "image" image "drawables" (vector target)
                                                     "source" source)
                                               settings)))))

; ---- a folder of cases ----

; Does the job: -> #f, or a list of words that say why it failed. GIMP hands them to *error-hook*, which is throw.
(define (geometry-transfer-attempt job)
  (let ((hook *error-hook*) (why #f))
    (set! *error-hook* (lambda words
                         (set! why words)
                         (apply hook words)))
    (let ((done (catch #f (job) #t)))
      (set! *error-hook* hook)
      (cond (done #f)
            (why why)
            (else '("no reason given"))))))

; The first of name.png, name.jpg ... that is there, or #f.
(define (geometry-transfer-picture folder name)
  (let loop ((endings '("png" "jpg" "jpeg" "tif" "tiff")))
    (if (null? endings)
        #f
        (let ((path (string-append folder "/" name "." (car endings))))
          (if (file-exists? path) path (loop (cdr endings)))))))

; Replaces the selection by a picture's grey values times its opacity. The picture is laid on black, because the
; component is taken from all layers together.
(define (geometry-transfer-select image path)
  (let ((layer (car (gimp-file-load-layer RUN-NONINTERACTIVE image path))))
    (gimp-image-insert-layer image layer 0 0)
    (gimp-layer-set-composite-space layer LAYER-COLOR-SPACE-RGB-NON-LINEAR)
    (gimp-context-push)
    (gimp-context-set-background '(0 0 0))
    (gimp-layer-flatten layer)
    (gimp-context-pop)
    (let ((channel (car (gimp-channel-new-from-component
                         image (if (= (car (gimp-image-get-base-type image)) GRAY) CHANNEL-GRAY CHANNEL-RED) "mask"))))
      (gimp-image-insert-channel image channel 0 0)
      (gimp-image-select-item image CHANNEL-OP-REPLACE channel)
      (gimp-image-remove-channel image channel)
      (gimp-image-select-rectangle image CHANNEL-OP-INTERSECT 0 0
                                   (car (gimp-drawable-get-width layer)) (car (gimp-drawable-get-height layer)))
      (gimp-image-remove-layer image layer))))

(define (geometry-transfer-case-in image folder file settings)
  (let ((target (vector-ref (car (gimp-image-get-layers image)) 0))
        (source (car (gimp-file-load-layer RUN-NONINTERACTIVE image (geometry-transfer-picture folder "source")))))
    (gimp-image-insert-layer image source 0 1)
    (geometry-transfer-select image (geometry-transfer-picture folder "mask"))
    (geometry-transfer image target source settings)
    (gimp-item-set-visible source FALSE)
    (gimp-file-save RUN-NONINTERACTIVE image (string-append file ".xcf"))
    (gimp-selection-none image)
    (gimp-image-flatten image)
    (gimp-file-save RUN-NONINTERACTIVE image (string-append file ".png"))))

; -> #f, or why it failed. The image is closed in either case.
(define (geometry-transfer-case folder output name settings)
  (let* ((image #f)
         (why (geometry-transfer-attempt (lambda ()
                (set! image (car (gimp-file-load RUN-NONINTERACTIVE (geometry-transfer-picture folder "target"))))
                (geometry-transfer-case-in image folder (string-append output "/" name) settings)))))
    (if image (gimp-image-delete image))
    why))

; The names of the cases; none when there is no such folder.
(define (geometry-transfer-folders path)
  (let ((stream (dir-open-stream path)))
    (let loop ((names '()))
      (let ((name (if stream (dir-read-entry stream) #f)))
        (cond ((not stream) names)
              ((eof-object? name) (dir-close-stream stream) names)
              ((and (not (string=? (substring name 0 1) "."))
                    (geometry-transfer-picture (string-append path "/" name) "target")
                    (geometry-transfer-picture (string-append path "/" name) "source")
                    (geometry-transfer-picture (string-append path "/" name) "mask"))
               (loop (cons name names)))
              (else (loop names)))))))

(define (geometry-transfer-one-line text)
  (list->string (map (lambda (c) (if (char<? c #\space) #\space c)) (string->list text))))

; Adds a line to the report and closes it, so that the line is there whatever becomes of GIMP. Lines are added to a file
; that is open for input and output.
(define (geometry-transfer-report path words)
  (let ((report (open-input-output-file path)))
    (for-each (lambda (word) (if (string? word) (display (geometry-transfer-one-line word) report) (write word report))) words)
    (newline report)
    (close-input-port report)
    (close-output-port report)))

; Raises an error at the end when a case failed or there was none.
(define (geometry-transfer-batch cases output settings)
  (let* ((path (string-append output "/report.txt"))
         (report (open-output-file path)))
    (if (not report) (error "Geometry Transfer cannot write the report:" path))
    (close-output-port report)
    (let loop ((names (geometry-transfer-folders cases)) (count 0) (failed 0))
      (cond ((pair? names)
             (let ((why (geometry-transfer-case (string-append cases "/" (car names)) output (car names) settings)))
               (geometry-transfer-report path (cons (car names) (if why (cons " failed: " why) '(" ok"))))
               (loop (cdr names) (+ count 1) (if why (+ failed 1) failed))))
            ((= count 0)
             (geometry-transfer-report path (list "done 0 failed: no case in " cases))
             (error "Geometry Transfer: no case in" cases))
            (else
             (geometry-transfer-report path (list "done " count " failed " failed))
             (if (> failed 0) (error "Geometry Transfer: cases that failed:" failed)))))))
