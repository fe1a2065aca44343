; SPDX-License-Identifier: GPL-3.0-or-later
; GIMP 3.0: the droplets of leaf.jpg onto plaster.png.
; (geometry-transfer-demo INPUT OUTPUT PRESET), folders without a last slash.

(define (geometry-transfer-demo input output preset)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE (string-append input "/plaster.png"))))
         (target (vector-ref (car (gimp-image-get-layers image)) 0))
         (source (car (gimp-file-load-layer RUN-NONINTERACTIVE image (string-append input "/leaf.jpg"))))
         (mask (car (gimp-file-load-layer RUN-NONINTERACTIVE image (string-append input "/leaf-mask.png")))))
    (gimp-image-insert-layer image source 0 1)
    (gimp-item-set-name source "leaf")
    ; The selection is the mask's white; the 640 pixel leaf lies so that its droplets come to the plaster's middle.
    (gimp-image-insert-layer image mask 0 1)
    (gimp-layer-set-offsets source -64 40)
    (gimp-layer-set-offsets mask -64 40)
    (gimp-image-select-color image CHANNEL-OP-REPLACE mask '(255 255 255))
    (gimp-image-remove-layer image mask)
    (let ((layer (car (plug-in-geometry-transfer #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector target)
                                                 #:source source #:preset preset #:show-through 0.5))))
      (gimp-selection-none image)
      (gimp-xcf-save RUN-NONINTERACTIVE image (string-append output "/demo.xcf"))
      ; The layer alone: what is above the target, without it.
      (gimp-item-set-visible target FALSE)
      (gimp-item-set-visible source FALSE)
      (file-png-export RUN-NONINTERACTIVE image (string-append output "/layer.png") -1)
      (gimp-item-set-visible target TRUE)
      (gimp-image-flatten image)
      (file-png-export RUN-NONINTERACTIVE image (string-append output "/result.png") -1))
    (gimp-image-delete image)))
